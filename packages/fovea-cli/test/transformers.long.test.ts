/**
 * @file Claims about `fovea export --format transformers`: transformers.js itself loads the folder as it is, in Node and in a browser, and says what
 * `fovea predict` says. Installs it from npm; for the browser Chromium must be there.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { saveModel } from '../src/index.js'
import { chromium, install, launch, serveFolder } from './browser.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

type Scores = readonly (readonly { readonly label: string; readonly score: number }[])[]

const folder = temporaryFolder()
const run = join(folder, 'run')
const photos = ['red', 'green', 'blue'].map(name => join('photos', 'val', name, '0.png'))
/** Label and probability of each photo. */
let expected: readonly (readonly [string, number])[]

beforeAll(async () => {
  install(folder, '@huggingface/transformers', 'playwright-core')
  const data = await colorFolder({ train: 16, val: 2 }, join(folder, 'photos'))
  const trained = await fovea(['train', 'resnet8', '--data', data, '--epochs', '4', '--batch', '8', '--out', run])
  expect(trained.code, trained.stderr).toBe(0)
  const made = await fovea(['export', run, '--format', 'transformers', '--out', 'model', '--json'], { cwd: folder })
  expect(made.code, made.stderr).toBe(0)
  const agreement = { images: 64, sameClass: 64, difference: expect.any(Number) }
  expect(made.json[0].agreements).toEqual({ fp32: agreement, fp16: agreement, q8: agreement })
  expect(made.json[0].losses).toEqual({ q8: { ...agreement, sameClass: expect.any(Number) } })
  const { json } = await fovea(['predict', run, ...photos, '--json'], { cwd: folder })
  expected = json.map(({ predictions }) => [predictions[0].label, predictions[0].probability])
})

/** That each photo has its label, and about its probability. */
function expectScores(scores: Scores, within: number): void {
  expect(scores.map(([{ label }]) => label)).toEqual(expected.map(([label]) => label))
  for (const [i, [{ score }]] of scores.entries()) expect(Math.abs(score - expected[i][1])).toBeLessThan(within)
}

/** What transformers.js says in Node of the model in a folder. */
function classified(model: string, dtype: string): Scores {
  const script = join(folder, 'classify.mjs')
  writeFileSync(
    script,
    `import { env, pipeline } from '@huggingface/transformers'
     env.allowRemoteModels = false
     env.localModelPath = '.'
     const session_options = { graphOptimizationLevel: 'all' }
     const classify = await pipeline('image-classification', process.argv[2], { dtype: process.argv[3], session_options })
     console.log(JSON.stringify(await classify(process.argv.slice(4))))`,
  )
  const args = [script, model, dtype, ...photos]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }))
}

const precisions = [
  ['fp32', 1e-5],
  ['fp16', 5e-3],
  ['q8', 3e-2],
] as const

test.each(precisions)('in Node, %s', (dtype, within) => expectScores(classified('model', dtype), within))

test('an EfficientNet too, whose kind it knows', async () => {
  const labels = ['red', 'green', 'blue']
  const efficientnet = createModel('efficientnet-b0', { input: [32, 32, 3], labels, seed: 2 })
  // Untrained, its values would be too small for float16.
  for (const [name, values] of efficientnet.weights) {
    if (name.endsWith('running_var')) for (const i of values.keys()) values[i] = 0.5 + (i % 5) / 5
    if (name.endsWith('running_mean')) for (const i of values.keys()) values[i] = ((i % 7) - 3) / 10
  }
  await saveModel(join(folder, 'b0.safetensors'), efficientnet)
  const made = await fovea(['export', 'b0.safetensors', '--format', 'transformers', '--out', 'b0'], { cwd: folder })
  expect(made.code, made.stderr).toBe(0)
  const { json } = await fovea(['predict', 'b0.safetensors', photos[0], '--json'], { cwd: folder })
  const own = new Map(
    json[0].predictions.map((row: { label: string; probability: number }) => [row.label, row.probability]),
  )
  for (const [dtype, within] of precisions) {
    for (const { label, score } of classified('b0', dtype)[0])
      expect(Math.abs(score - Number(own.get(label)))).toBeLessThan(within)
  }
})

describe.skipIf(chromium === undefined)('in Chromium (apt-get install chromium)', () => {
  test('unasked, which is q8', async () => {
    const site = join(folder, 'site')
    for (const name of ['photos', 'model']) cpSync(join(folder, name), join(site, 'models', name), { recursive: true })
    const modules = join(folder, 'node_modules')
    cpSync(join(modules, '@huggingface', 'transformers', 'dist', 'transformers.min.js'), join(site, 'transformers.js'))
    cpSync(join(modules, 'onnxruntime-web', 'dist'), join(site, 'ort'), { recursive: true })
    writeFileSync(join(site, 'index.html'), '<!doctype html><title>empty</title>')
    const { server, address } = await serveFolder(site)
    const browser = await launch(folder)
    try {
      const tab = await browser.newPage()
      await tab.goto(address)
      const scores = await tab.evaluate(
        `import('${address}transformers.js').then(async ({ env, pipeline }) => {
          env.allowRemoteModels = false
          env.allowLocalModels = true
          env.localModelPath = '/models/'
          env.backends.onnx.wasm.wasmPaths = '${address}ort/'
          const classify = await pipeline('image-classification', 'model')
          return classify(${JSON.stringify(photos)}.map(path => '${address}models/' + path))
        })`,
      )
      expectScores(scores as Scores, 3e-2)
    } finally {
      await browser.close()
      server.close()
    }
  })
})
