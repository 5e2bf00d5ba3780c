/** @file What a model sees in a picture: the model runs in this page, by ONNX Runtime compiled to WebAssembly. Pictures stay here. */
import * as ort from './ort/ort.wasm.bundle.min.mjs'
import { seenPixels } from './seen-pixels.js'

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
  const bitmap = await createImageBitmap(picture)
  const image = new ort.Tensor('uint8', seenPixels(bitmap, model), [1, height, width, channels])
  bitmap.close()
  const { probabilities } = await session.run({ image })
  return model.labels
    .map((label, i) => ({ label, probability: probabilities.data[i] }))
    .sort((a, b) => b.probability - a.probability)
}
