/** @file What a model sees in a picture: the model runs in this page, by ONNX Runtime compiled to WebAssembly. Pictures stay here. */
import * as ort from './ort/ort.wasm.bundle.min.mjs'
import { resizedCenter } from './resize.js'

ort.env.wasm.wasmPaths = { wasm: new URL('./ort/ort-wasm-simd-threaded.wasm', import.meta.url).href }
// Several threads need a page that is isolated from others (COOP and COEP headers).
ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1

/** Name, labels and size [height, width, channels] of the model, and how pictures are resized for it. */
export const model = await fetch(new URL('./model.json', import.meta.url)).then(response => response.json())
const session = await ort.InferenceSession.create(new URL('./model.onnx', import.meta.url).href)
const [height, width, channels] = model.size
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

/** More pixels than some browsers' canvas holds: larger pictures are drawn smaller. */
const MOST_PIXELS = 1 << 24

/** As in training: the shorter side resized to fit, the centre cropped, transparency over white. */
function pixelsOf(picture) {
  const [w, h] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height]
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (w * h)))
  const canvas = new OffscreenCanvas(Math.max(1, Math.floor(w * scale)), Math.max(1, Math.floor(h * scale)))
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.fillStyle = 'white'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  const colors = resizedCenter(context.getImageData(0, 0, canvas.width, canvas.height), [height, width], model.resizing)
  if (channels === 3) return colors
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const [r, g, b] = colors.subarray(3 * i, 3 * i + 3)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  })
}
