/** @file The claim that PyTorch loads what is exported, and computes the same; skipped where `python3` has no torchvision. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, predictProbabilities, referenceEngine } from 'fovea'
import { expect, test } from 'vitest'
import { saveModel } from '../src/index.js'
import { fovea, temporaryFolder } from './run-fovea.js'

/** Another interpreter than `python3`, with its arguments. */
const [python, ...before] = (process.env['FOVEA_TEST_PYTHON'] ?? 'python3').split(' ')
const run = (program: string, input?: Uint8Array) =>
  spawnSync(python, [...before, '-c', program], { ...(input && { input }), maxBuffer: 1 << 24 })
const hasTorch = run('import torchvision').status === 0

/** Reads the file as its format says, without the library for it, which Debian does not have. */
const program = `
import json, sys, torch, torchvision
file = sys.stdin.buffer.read()
length = int.from_bytes(file[:8], 'little')
header = json.loads(file[8:8 + length])
assert header.pop('__metadata__') == {'format': 'pt'}
data = bytearray(file[8 + length:])
tensors = {name: torch.frombuffer(data, dtype=torch.float32, offset=entry['data_offsets'][0], count=max(1, torch.Size(entry['shape']).numel())).reshape(entry['shape']) for name, entry in header.items()}
model = torchvision.models.resnet18(num_classes=3)
model.load_state_dict(tensors, strict=True)
image = torch.arange(32 * 32 * 3, dtype=torch.float32).reshape(1, 32, 32, 3).remainder(251) / 255
print(json.dumps(torch.softmax(model.eval()(image.permute(0, 3, 1, 2)), 1)[0].tolist()))
`

test.skipIf(!hasTorch)('torchvision loads a resnet18, all names, and computes its probabilities', async () => {
  const options = { input: [32, 32, 3], classes: 3, seed: 2 } as const
  const model = createModel('resnet18', { ...options, normalization: { mean: [0, 0, 0], deviation: [1, 1, 1] } })
  const [file, out] = ['model.safetensors', 'resnet18.safetensors'].map(name => join(temporaryFolder(), name))
  await saveModel(file, model)
  const args = ['export', file, '--format', 'safetensors', '--names', 'torchvision', '--out', out, '--json']
  const { json, stderr } = await fovea(args)
  expect(json, stderr).toEqual([{ out, parameters: 11_178_051, bytes: readFileSync(out).length }])
  const { stdout, stderr: problem } = run(program, readFileSync(out))
  const theirs = JSON.parse(stdout.toString() || problem.toString()) as number[]
  const image = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => i % 251)
  const ours = await predictProbabilities(model, image, { engine: referenceEngine() })
  expect(theirs).toHaveLength(3)
  for (const [i, probability] of theirs.entries()) expect(ours[i]).toBeCloseTo(probability, 5)
})

test('an option of another format is refused', async () => {
  const out = join(temporaryFolder(), 'x')
  const { code, stderr } = await fovea(['export', 'x', '--format', 'safetensors', '--precision', 'int8', '--out', out])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('--precision is not for --format safetensors'),
  })
})
