/**
 * @file The claim that `fovea import`, as a user runs it, takes no more memory than twice the file's size and 200 MB, all that Node takes
 * included: for each way in which tensors lie in a file, and for types that become twice as large.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, decodeSafetensors, encodeOnnx, encodeSafetensors, encodeWeights } from 'fovea'
import { beforeAll, expect, test } from 'vitest'
import { TestTensor, torchZip } from '../../fovea/test/formats/torch-file.js'
import { fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const hook = join(folder, 'peak.mjs')
const peak = join(folder, 'peak.txt')

/** With 51 MB in half precision, more than what a process takes without any. */
const model = createModel('resnet50')
/** Its tensors, in float32. */
const whole = decodeSafetensors('whole', Buffer.concat(encodeWeights(model))).tensors
/** In half precision, of any value. */
const halves = new Map(
  [...whole].map(([name, { shape, bytes }]) => {
    const bits = new Uint16Array(bytes.length / 4).fill(0x3c01)
    return [name, { dtype: 'float16', shape, bytes: new Uint8Array(bits.buffer) }] as const
  }),
)
const stateDict = new Map([...halves].map(([name, tensor]) => [name, new TestTensor(tensor, tensor.shape)]))

beforeAll(() =>
  writeFileSync(
    hook,
    `import { readFileSync, writeFileSync } from 'node:fs'
process.on('exit', () => writeFileSync(process.env.PEAK_FILE, /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]))`,
  ),
)

const files: Readonly<Record<string, () => Uint8Array>> = {
  'PyTorch, a zip file in half precision': () => torchZip(stateDict),
  'safetensors in half precision': () => Buffer.concat(encodeSafetensors({ tensors: halves, metadata: {} })),
  'ONNX in half precision': () => Buffer.concat(encodeOnnx(model, { precision: 'float16' })),
}

test.skipIf(process.platform !== 'linux').each(Object.entries(files))('%s', async (name, make) => {
  const bytes = make()
  const file = join(folder, name.replaceAll(/\W+/g, '-'))
  writeFileSync(file, bytes)
  const what = name.startsWith('ONNX') ? [] : ['--model', 'resnet50']
  const run = await fovea(['import', file, ...what, '--out', `${file}.safetensors`], {
    env: { NODE_OPTIONS: `--import ${hook}`, PEAK_FILE: peak },
  })
  expect(run).toMatchObject({ code: 0 })
  expect(1024 * Number(readFileSync(peak, 'utf8'))).toBeLessThan(2 * bytes.length + 200 * 2 ** 20)
})
