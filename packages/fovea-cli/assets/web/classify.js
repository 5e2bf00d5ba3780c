/** @file What a model sees in a picture: the model runs in this page, by ONNX Runtime compiled to WebAssembly. Pictures stay here. */
import * as ort from './ort/ort.wasm.bundle.min.mjs'

ort.env.wasm.wasmPaths = { wasm: new URL('./ort/ort-wasm-simd-threaded.wasm', import.meta.url).href }
// Several threads need a page that is isolated from others (COOP and COEP headers).
ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1

/** Name, labels and size [height, width, channels] of the model, and the part of a picture's shorter side that it sees. */
export const model = await fetch(new URL('./model.json', import.meta.url)).then(response => response.json())
const session = await ort.InferenceSession.create(new URL('./model.onnx', import.meta.url).href)
const [height, width, channels] = model.size
const canvas = new OffscreenCanvas(width, height)
const context = canvas.getContext('2d', { willReadFrequently: true })

/**
 * The model's labels for a picture, most probable first.
 * @param {ImageBitmap | HTMLVideoElement | HTMLCanvasElement} picture
 * @returns {Promise<{label: string, probability: number}[]>}
 */
export async function classify(picture) {
  const image = new ort.Tensor('uint8', pixelsOf(picture), [1, height, width, channels])
  const { probabilities } = await session.run({ image })
  return model.labels
    .map((label, i) => ({ label, probability: probabilities.data[i] }))
    .sort((a, b) => b.probability - a.probability)
}

/** As in training: the shorter side resized to fit, the centre cropped, transparency over white. */
function pixelsOf(picture) {
  const [w, h] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height]
  const scale = Math.max(width / w, height / h) / model.crop
  context.fillStyle = 'white'
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, (width - w * scale) / 2, (height - h * scale) / 2, w * scale, h * scale)
  const { data } = context.getImageData(0, 0, width, height)
  const pixels = new Uint8Array(height * width * channels)
  for (let i = 0; i < height * width; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]]
    if (channels === 1) pixels[i] = 0.2126 * r + 0.7152 * g + 0.0722 * b
    else pixels.set([r, g, b], 3 * i)
  }
  return pixels
}
