/** @file Claims about `fovea export`: a file is kept when ONNX Runtime computes what the model does, and nothing is replaced. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, quantizeModel } from 'fovea'
import { beforeAll, expect, test } from 'vitest'
import { generatedImages } from '../src/export/agreement.js'
import { findRuntime } from '../src/export/runtime.js'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const isInstalled = typeof (await findRuntime()) !== 'string'
const folder = temporaryFolder()
const [saved, integers] = ['model', 'integers'].map(name => join(folder, `${name}.safetensors`))
const labels = ['blue', 'green', 'red']

beforeAll(async () => {
  const model = createModel('resnet8', { input: [16, 16, 3], labels })
  await saveModel(saved, model)
  const { model: quantized } = await quantizeModel(model, { images: generatedImages(model, 16) })
  await saveModel(integers, quantized)
})

/** A folder in which a package calls itself ONNX Runtime. */
function withRuntime(code: string): string {
  const cwd = temporaryFolder()
  const place = join(cwd, 'node_modules', 'onnxruntime-node')
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'onnxruntime-node', main: 'index.cjs' }))
  writeFileSync(join(place, 'index.cjs'), code)
  return cwd
}

/** Of which every logit of every file is the same, or no number. */
const constantRuntime = (logit: string) => `
  exports.Tensor = class { constructor(type, data, dims) { this.dims = dims } }
  exports.InferenceSession = { create: async () => ({
    run: async ({ pixel_values }) => ({ logits: { data: new Float32Array(3 * pixel_values.dims[0]).fill(${logit}) } }),
    release: async () => {},
  }) }`

const exported = (file: string, out: string, ...more: readonly string[]) => [
  ...['export', file, '--format', 'onnx', '--out', out, '--threads', '1'],
  ...more,
]

test.each(['0', 'NaN'])('a file that gives %s is not kept', async logit => {
  const cwd = withRuntime(constantRuntime(logit))
  const { code, stdout, stderr } = await fovea(exported(saved, 'a.onnx'), { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^fovea: in ONNX Runtime the file does not compute what the model does \(logits differ by/)
  expect(readdirSync(cwd)).toEqual(['node_modules'])
})

test('where ONNX Runtime does not work, the file is kept, and it is said that it was not checked', async () => {
  const cwd = withRuntime('throw new Error("no such instruction")')
  const { code, json, stderr } = await fovea(exported(saved, 'a.onnx', '--json'), { cwd })
  expect(code).toBe(0)
  expect(stderr).toBe(
    'not checked, because ONNX Runtime cannot be loaded (no such instruction); with it, each export is run beside the ' +
      'model: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node\n',
  )
  const { length } = readFileSync(join(cwd, 'a.onnx'))
  expect(json).toEqual([{ out: 'a.onnx', parameters: 77_731, bytes: length, precision: 'float32', agreement: null }])
})

test.skipIf(!isInstalled)(
  'with ONNX Runtime, every precision agrees (npm install --no-save onnxruntime-node)',
  async () => {
    const photos = await colorFolder({ train: 4, val: 4 })
    const out = (name: string) => join(folder, name)
    const agreement = async (...args: Parameters<typeof exported>) => {
      const { code, json, stderr } = await fovea([...exported(...args), '--json'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^(decoded .*\n)?$/) })
      return json[0].agreement
    }
    const whole = await agreement(saved, out('32.onnx'), '--data', photos)
    expect(whole).toEqual({ images: 12, sameClass: 12, difference: expect.any(Number) })
    expect(whole.difference).toBeLessThan(1e-5)
    expect(await agreement(saved, out('16.onnx'), '--precision', 'float16')).toMatchObject({
      images: 64,
      sameClass: 64,
    })
    expect((await agreement(saved, out('pixels.onnx'), '--preprocessing')).difference).toBeLessThan(1e-5)
  },
)

test('an ONNX file is a model for every command: it is described, measured and trained', async () => {
  const onnx = join(folder, 'back.onnx')
  expect((await fovea(exported(saved, onnx))).code).toBe(0)
  const { parameters } = (await fovea(['summary', onnx, '--json'])).json[0]
  // The norms have gone into the convolutions.
  expect(parameters).toBe(77_251)
  const photos = await colorFolder({ train: 4, val: 2 })
  expect((await fovea(['eval', onnx, '--data', photos, '--json'])).json[0]).toMatchObject({ images: 6 })
  const out = join(folder, 'tuned')
  const train = ['train', '--from', onnx, '--data', photos, '--epochs', '1', '--batch', '4', '--threads', '1']
  expect(await fovea([...train, '--out', out])).toMatchObject({ code: 0 })
  writeFileSync(join(folder, 'cut.onnx'), readFileSync(onnx).subarray(0, 1000))
  const { code, stderr } = await fovea(['summary', join(folder, 'cut.onnx')])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^fovea: '[^']*cut\.onnx' is not read: [^\n]*ends too early\n$/),
  })
})

test('integers are those of a quantized model', async () => {
  const { code, stderr } = await fovea(exported(saved, join(folder, 'b.onnx'), '--precision', 'int8'))
  expect(code).toBe(1)
  expect(stderr).toBe(
    `fovea: '${saved}' does not compute in integers; this makes a model that does: npx fovea quantize ${saved} --data DATA\n`,
  )
  const { json } = await fovea(exported(integers, join(folder, 'integers.onnx'), '--json'))
  expect(json[0]).toMatchObject({ precision: 'int8' })
  expect(json[0].bytes).toBeLessThan(120_000)
})

test('a page takes the runtime of browsers from where the command runs, and is whole', async () => {
  const cwd = temporaryFolder()
  const args = ['export', saved, '--format', 'web', '--out', 'page', '--threads', '1']
  const none = await fovea(args, { cwd })
  expect(none).toMatchObject({ code: 1, stdout: '' })
  expect(none.stderr).toBe(
    'fovea: a page needs ONNX Runtime for browsers, which is not installed here: npm install onnxruntime-web\n',
  )
  const dist = join(cwd, 'node_modules', 'onnxruntime-web', 'dist')
  mkdirSync(dist, { recursive: true })
  writeFileSync(join(dist, '..', 'package.json'), '{ "exports": { "./wasm": "./dist/ort.wasm.bundle.min.mjs" } }')
  for (const name of ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm']) writeFileSync(join(dist, name), name)
  const { code, stderr } = await fovea(args, { cwd })
  expect(code, stderr).toBe(0)
  const page = join(cwd, 'page')
  expect(readdirSync(page).sort()).toEqual([
    'classify.js',
    'index.html',
    'model.json',
    'model.onnx',
    'ort',
    'resize.js',
    'seen-pixels.js',
  ])
  expect(JSON.parse(readFileSync(join(page, 'model.json'), 'utf8'))).toEqual({
    name: 'resnet8',
    labels,
    size: [16, 16, 3],
    resizing: { crop: 1, interpolation: 'lanczos' },
  })
  expect(readFileSync(join(page, 'ort', 'ort-wasm-simd-threaded.wasm'), 'utf8')).toBe('ort-wasm-simd-threaded.wasm')
  expect(await fovea(args, { cwd })).toMatchObject({ code: 1, stderr: expect.stringContaining('exist already') })
})

test('a folder for transformers.js: classes, preprocessing, and a file for each dtype', async () => {
  const cwd = temporaryFolder()
  const args = (file: string, out: string) => [
    'export',
    file,
    '--format',
    'transformers',
    '--out',
    out,
    '--threads',
    '1',
  ]
  const { code, stdout, stderr } = await fovea(args(saved, 'model'), { cwd })
  expect(code, stderr).toBe(0)
  expect(stderr.split('\n').filter(line => line.startsWith('not checked')).length).toBeLessThan(2)
  // Where ONNX Runtime is: what 8 bits cost, beside that the file computes what is in it.
  if (!stderr.includes('not checked')) {
    expect(stdout).toMatch(/q8 checked .*, beside the model in float32, \d+ of 64 generated images get the same class/)
  }
  const jsonOf = (name: string) => JSON.parse(readFileSync(join(cwd, 'model', name), 'utf8'))
  expect(jsonOf('config.json')).toMatchObject({ model_type: 'resnet', id2label: { 0: 'blue', 1: 'green', 2: 'red' } })
  expect(jsonOf('preprocessor_config.json')).toMatchObject({
    image_processor_type: 'ViTImageProcessor',
    size: { shortest_edge: 16 },
    crop_size: { height: 16, width: 16 },
  })
  const sizes = ['', '_fp16', '_quantized'].map(
    end => readFileSync(join(cwd, 'model', 'onnx', `model${end}.onnx`)).length,
  )
  expect(sizes[1]).toBeLessThan(0.6 * sizes[0])
  expect(sizes[2]).toBeLessThan(0.4 * sizes[0])
  const grey = join(folder, 'grey.safetensors')
  await saveModel(grey, createModel('resnet8', { input: [16, 16, 1], labels }))
  expect(await fovea(args(grey, 'grey'), { cwd })).toMatchObject({
    code: 1,
    stderr: 'fovea: resnet8 takes grey images, and transformers.js makes none: export it as onnx or web\n',
  })
  expect(existsSync(join(cwd, 'grey'))).toBe(false)
})

test('no file is replaced, and wrong words are wrong usage', async () => {
  const there = join(folder, 'there.onnx')
  writeFileSync(there, 'mine')
  expect(await fovea(exported(saved, there))).toMatchObject({
    code: 1,
    stderr: `fovea: '${there}' exists already: choose another --out, or remove it first\n`,
  })
  expect(readFileSync(there, 'utf8')).toBe('mine')
  const absent = await fovea(exported(saved, join(folder, 'c'), '--data', 'nowhere'), { cwd: temporaryFolder() })
  expect(absent).toMatchObject({ code: expect.toSatisfy(code => code > 0), stderr: expect.stringContaining('nowhere') })
  const wrong = await fovea(['export', saved, '--format', 'onxx', '--out', join(folder, 'c')])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'onnx'?") })
  expect(existsSync(join(folder, 'c'))).toBe(false)
})
