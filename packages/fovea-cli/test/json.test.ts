/** @file Claims about `--json`: every command has it and prints nothing but JSON on stdout, with the keys that programs rely on. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { createModel, decodeSafetensors, encodeCheckpoint, encodeSafetensors } from 'fovea'
import { onednnStatus } from 'fovea-onednn'
import { beforeAll, expect, test } from 'vitest'
import { CIFAR10_ARCHIVE } from '../src/data/cifar10.js'
import { writePacked } from '../src/data/packed-file.js'
import { createProgram } from '../src/program.js'
import { colorFolder, fovea, type RunOptions, temporaryFolder } from './run-fovea.js'

interface Case {
  readonly args: readonly string[]
  /** Of the last line. */
  readonly keys: readonly string[]
  /** How it is stopped, if it takes long. */
  readonly when?: RunOptions['when']
}

const folder = temporaryFolder()
const env = { FOVEA_DATA: join(folder, 'cache') }
const [photos, run, parity, weights] = ['photos', 'run', 'parity.json', 'weights.safetensors'].map(name =>
  join(folder, name),
)

const epoch = [
  ...['event', 'epoch', 'loss', 'accuracy', 'validationLoss', 'validationAccuracy', 'imagesPerSecond', 'seconds'],
]
/** What a folder of images says about itself. */
const facts = [...['sizeFrom', 'sources', 'unused', 'leftOut', 'joined', 'smallest', 'largest', 'enlarged', 'repeated']]
/** The same for a file without a training part: what it does not tell is null. */
const parityKeys = ['model', 'parameters', 'maxLogitError', 'maxGradientError', 'lossError', 'maxRunningError']
/** By command. They run in this order: what `train` makes, later ones read. */
const cases: Readonly<Record<string, Case>> = {
  train: {
    args: ['cnn', '--data', photos, '--epochs', '1', '--batch', '4', '--out', run],
    keys: ['event', 'checkpoint', 'testAccuracy', 'seconds'],
  },
  'find-rate': {
    args: ['cnn', '--data', photos, '--batch', '4', '--steps', '50'],
    keys: ['model', 'suggestion', 'tenthOfLowest', 'picture', 'passes', 'steps'],
  },
  eval: {
    args: [run, '--data', photos],
    keys: [
      ...['loss', 'accuracy', 'accuracyInterval', 'top5', 'images', 'seconds', 'calibrationError'],
      ...['measured', 'missing', 'classes'],
    ],
  },
  predict: { args: [run, join(photos, 'val', 'red', '0.png')], keys: ['image', 'predictions'] },
  summary: {
    args: ['resnet8'],
    keys: ['model', 'parameters', 'multiplyAdds', 'bytes', 'activationBytes', 'layers', 'trainingBytes'],
  },
  compare: { args: ['resnet8', '--batch', '2', '--steps', '1'], keys: ['models'] },
  prune: {
    args: [run, '--data', photos, '--amount', '0.3', '--out', join(folder, 'pruned')],
    keys: ['before', 'after'],
  },
  quantize: {
    args: [run, '--data', photos, '--out', join(folder, 'quantized')],
    keys: ['before', 'after'],
  },
  compress: {
    args: [run, '--data', photos, '--target', 'bytes=0.5x', '--out', join(folder, 'compressed')],
    keys: ['before', 'after', 'points', 'front'],
  },
  export: {
    args: [run, '--format', 'onnx', '--out', join(folder, 'cnn.onnx')],
    keys: ['out', 'parameters', 'bytes', 'precision', 'agreement'],
  },
  serve: {
    args: [run, '--port', '0'],
    keys: ['notice'],
    when: { at: '"address"', act: child => child.kill('SIGTERM') },
  },
  import: {
    args: [weights, '--model', 'resnet8', '--out', join(folder, 'imported.safetensors')],
    keys: ['out', 'parameters', 'bytes'],
  },
  bench: {
    args: ['resnet8', '--mode', 'infer', '--batch', '1', '--steps', '1'],
    keys: [
      ...['model', 'mode', 'batch', 'precision', 'engine', 'threads', 'msPerStep', 'imagesPerSecond'],
      ...['gflops', 'peakMemoryBytes'],
    ],
  },
  parity: { args: [parity], keys: parityKeys },
  'data pack': {
    args: [photos, '--out', join(folder, 'photos.fovea-data')],
    keys: ['out', 'classes', 'imageShape', 'bytes', 'images', ...facts],
  },
  setup: {
    args: [],
    keys: onednnStatus().available
      ? ['engine', 'detail', 'source', 'path', 'passedOver']
      : ['engine', 'detail', 'problem'],
  },
  'data info': { args: [photos], keys: ['data', 'imageShape', 'classes', 'train', 'test', ...facts] },
  'data download': { args: ['cifar10'], keys: ['data', 'imageShape', 'classes', 'train', 'test'] },
  demo: { args: [], keys: epoch, when: { at: '"event":"epoch"', act: child => child.kill('SIGINT') } },
}

beforeAll(async () => {
  await colorFolder({ train: 8, val: 2 }, photos)
  const results = {
    model: 'resnet8',
    batch: 1,
    size: 32,
    classes: 2,
    parameters: 77_666,
    logits: [[1, 2]],
    float32: {},
  }
  writeFileSync(parity, JSON.stringify(results))
  writeFileSync(weights, weightsAlone())
  await pretendToHaveCifar10()
})

/** A file that says nothing of its model. */
function weightsAlone(): Uint8Array {
  const chunks = encodeCheckpoint({ model: createModel('resnet8') })
  const { tensors } = decodeSafetensors('weights', Buffer.concat(chunks))
  return Buffer.concat(encodeSafetensors({ tensors, metadata: {} }))
}

/** So that `data download` finds nothing to download. */
async function pretendToHaveCifar10(): Promise<void> {
  const description = {
    name: 'cifar10',
    imageShape: [1, 1, 3] as [number, number, number],
    classes: ['a'],
    source: CIFAR10_ARCHIVE.sha256,
  }
  const images = (['train', 'test'] as const).map(split => ({ split, label: 0, pixels: new Uint8Array(3) }))
  await writePacked(join(env.FOVEA_DATA, 'cifar10.fovea-data'), description, images)
}

/** `train`, …, `data pack`, …: commands that do something themselves. */
const verbs = (command: Command, path = ''): string[] =>
  command.commands.flatMap(child => {
    const name = `${path}${child.name()}`
    return child.commands.length > 0 ? verbs(child, `${name} `) : [name]
  })

test('every command is tried here', async () => {
  expect(Object.keys(cases).sort()).toEqual(verbs(await createProgram()).sort())
})

test.each(Object.entries(cases))('fovea %s --json prints only JSON', async (verb, { args, keys, when }) => {
  const { json, stderr } = await fovea([...verb.split(' '), ...args, '--json'], {
    env,
    cwd: folder,
    ...(when === undefined ? {} : { when }),
  })
  expect(json.length, stderr).toBeGreaterThan(0)
  expect(Object.keys(json.at(-1))).toEqual(keys)
})

test('a command that fails prints nothing on stdout', async () => {
  const { code, stdout, stderr } = await fovea(['eval', join(folder, 'none'), '--data', photos, '--json'])
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('none') })
})
