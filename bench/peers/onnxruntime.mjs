/**
 * @file ONNX Runtime's inference speed: one JSON line. It is no dependency: `npm install --no-save onnxruntime-node`.
 * usage: node onnxruntime.mjs MODEL.onnx BATCH SIZE STEPS · node onnxruntime.mjs --version
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const ort = require('onnxruntime-node')

if (process.argv[2] === '--version') {
  console.log(ort.env.versions.node)
} else {
  const [file, ...numbers] = process.argv.slice(2)
  const [batch, size, steps] = numbers.map(Number)
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: Number(process.env.OMP_NUM_THREADS ?? 2),
    interOpNumThreads: 1,
  })
  const pixels = Float32Array.from({ length: batch * 3 * size * size }, (_, i) => Math.sin(i))
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', pixels, [batch, 3, size, size]) }
  const times = []
  for (let i = -2; i < steps; i++) {
    const start = performance.now()
    await session.run(feeds)
    if (i >= 0) times.push(performance.now() - start)
  }
  const median = times.sort((a, b) => a - b)[Math.floor(steps / 2)]
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
  console.log(JSON.stringify({ imagesPerSecond: (1000 * batch) / median, msPerStep: median, peakMemoryBytes }))
}
