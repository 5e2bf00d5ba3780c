/** @file Answers a picture with its pixels. */
import { decodeImage } from '/packages/fovea-wasm/dist/fovea.js'

addEventListener('message', async ({ data: { picture, size } }) => postMessage(await decodeImage(picture, size)))
