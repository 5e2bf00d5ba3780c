#!/usr/bin/env node
/**
 * @file Fovea's speed beside its peers', on this machine, in one run: PyTorch (Debian's python3-torch) for training, ONNX
 * Runtime (onnxruntime-node) for inference. The commands of a row take turns, so that a busy moment falls on all; shown
 * are medians over the turns, and the least and the most. Peers that are not installed are left out, and named.
 * usage: node bench/speed.mjs [--turns 5] [--rows resnet20,infer,"batch 1"] [--python COMMAND]... [--out docs]
 *   --python  a Python that has PyTorch, as a command with its arguments: 'chroot DEBIAN python3' takes another release's.
 *             Of several, the one that is faster in a row is that row's peer
 */
import { execFile, spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onednnStatus } from 'fovea-onednn'
import sharp from 'sharp'
import { argumentsOf, wholeNumber, wordsOf } from './arguments.mjs'
import { barChart } from './chart.mjs'
import { rows } from './speed-rows.mjs'
import { bar, describe, markdown, summary } from './speed-table.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const fovea = join(here, '../packages/fovea-cli/bin/fovea.mjs')
const threads = 2

const precisions = ['float32', 'mixed_bfloat16']

const { values: options } = argumentsOf({
  options: {
    turns: { type: 'string', default: '5' },
    rows: { type: 'string', default: '' },
    python: { type: 'string', multiple: true, default: ['/usr/bin/python3'] },
    out: { type: 'string', default: '' },
  },
})
const turns = wholeNumber('turns', options.turns)
const wordsFor = ({ model, mode, batch }) => [mode, model, `batch ${batch}`]
const words = options.rows === '' ? [] : wordsOf('rows', options.rows, rows.flatMap(wordsFor))
const chosen = rows.filter(row => words.length === 0 || wordsFor(row).some(word => words.includes(word)))
const environment = { ...process.env, OMP_NUM_THREADS: String(threads) }
const folder = mkdtempSync(join(tmpdir(), 'fovea-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const pythons = options.python.map(command => command.split(' '))
/** The Pythons that have PyTorch. */
const torches = pythons
  .map(command => ({
    command,
    version: version([...command, '-c', 'import torch, torchvision; print(torch.__version__)']),
  }))
  .filter(({ version }) => version)
const runtime = version([process.execPath, join(here, 'peers/onnxruntime.mjs'), '--version'])

const about = [
  `${cpus()[0].model.trim()}, ${threads} threads; Node ${process.versions.node}`,
  onednnStatus().detail,
  torches.length > 0
    ? `PyTorch ${torches.map(({ version }) => version).join(' and ')}, channels last`
    : `${options.python.join(', ')} has no PyTorch (apt-get install python3-torch python3-torchvision): its rows are left out`,
  runtime
    ? `ONNX Runtime ${runtime}`
    : 'ONNX Runtime is not installed (npm install --no-save onnxruntime-node), or PyTorch, which makes its models: its rows are left out',
]
for (const line of about) console.log(line)

/** Rows that are not measured again, or not yet, stay as they were measured here before. */
const earlier = options.out === '' ? [] : measuredBefore(join(options.out, 'speed.json'))
const results = []
const machine = onednnStatus().detail.includes('amx') ? 'amx' : 'other'
for (const row of chosen) {
  for (const [index, precision] of precisions.entries()) {
    const target = row[machine][index]
    if (target === undefined) continue
    const ours = []
    const peers = peersOf(row, precision).map(({ name, once }) => ({ name, once, taken: [] }))
    for (let turn = 0; turn < turns; turn++) {
      ours.push(await ourRun(row, precision))
      for (const { once, taken } of peers) taken.push(await once())
    }
    const summaries = peers.map(({ name, taken }) => ({ name, ...summary(taken) }))
    const [peer] = summaries.sort((a, b) => b.imagesPerSecond - a.imagesPerSecond)
    const { model, mode, batch, size } = row
    const result = { model, mode, batch, size, precision, target, ours: summary(ours), peer }
    results.push(result)
    console.log(describe(result))
    if (options.out !== '') keep()
  }
}

console.log(`\n${markdown(withEarlier())}`)

/** What is measured so far, and the rows that were measured before and are not again. */
function withEarlier() {
  const sameRow = a => b => ['model', 'mode', 'batch', 'size', 'precision'].every(key => a[key] === b[key])
  const replaced = earlier.map(row => results.find(sameRow(row)) ?? row)
  return [...replaced, ...results.filter(row => !earlier.some(sameRow(row)))]
}

/** After each row: a run that is cut short leaves what it has. */
function keep() {
  const all = withEarlier()
  mkdirSync(options.out, { recursive: true })
  const parts = [
    '# Speed',
    `${new Date().toISOString().slice(0, 10)}, \`node bench/speed.mjs\`, medians over turns (least–most).`,
    about.map(line => `- ${line}`).join('\n'),
    markdown(all),
    'What keeps rows from their targets: [onednn.md](onednn.md) and, with matrix tiles, [speed-amx.md](speed-amx.md).',
    "![Images a second as a multiple of the peer's](speed.svg)",
  ]
  writeFileSync(join(options.out, 'speed.md'), `${parts.join('\n\n')}\n`)
  writeFileSync(join(options.out, 'speed.svg'), barChart(all.filter(({ peer }) => peer).map(bar)))
  writeFileSync(join(options.out, 'speed.json'), `${JSON.stringify({ about, results: all }, null, 1)}\n`)
}

function ourRun(row, precision) {
  if (row.mode === 'end to end') return trainOnce(row, precision)
  return row.mode === 'two at once' ? benchTwo(row, precision) : benchOnce(row, precision)
}

function benchCommand({ model, mode, batch, size, steps }, precision) {
  const input = `${size}x${size}x3`
  const options = ['--mode', mode, '--batch', batch, '--input', input, '--precision', precision, '--steps', steps]
  return [fovea, 'bench', model, ...options.map(String), '--threads', String(threads)]
}

function benchOnce(row, precision) {
  return runJson(benchCommand(row, precision)).at(-1)
}

/** Two of them at the same time: what both do together. */
async function benchTwo(row, precision) {
  const command = [...benchCommand({ ...row, mode: 'train' }, precision), '--json']
  const run = promisify(execFile)
  const both = await Promise.all([1, 2].map(() => run(process.execPath, command, { env: environment })))
  const [one, other] = both.map(({ stdout }) => jsonLines(stdout).at(-1))
  return {
    imagesPerSecond: one.imagesPerSecond + other.imagesPerSecond,
    peakMemoryBytes: one.peakMemoryBytes + other.peakMemoryBytes,
  }
}

/** The second epoch over a packed file: all is warm, as in the step alone. */
async function trainOnce({ model, batch, size, steps, recipe }, precision, set = []) {
  const data = await packedImages(batch * steps, size)
  const options = ['--data', data, '--epochs', 2, '--batch', batch, '--precision', precision]
  if (recipe) options.push('--recipe', recipe, ...set)
  const out = join(folder, 'run')
  const lines = runJson([fovea, 'train', model, ...options.map(String), '--threads', String(threads), '--out', out])
  rmSync(out, { recursive: true })
  return lines.findLast(({ event }) => event === 'epoch')
}

/** A packed file of images of noise in ten classes, made once. */
async function packedImages(count, size) {
  const packed = join(folder, `${count}-${size}.packed`)
  if (existsSync(packed)) return packed
  const pixels = new Uint8Array(size * size * 3)
  for (const [split, images] of Object.entries({ train: count, test: 100 })) {
    for (let i = 0; i < images; i++) {
      const place = join(folder, `${size}`, split, String(i % 10))
      mkdirSync(place, { recursive: true })
      randomFillSync(pixels)
      await sharp(pixels, { raw: { width: size, height: size, channels: 3 } }).toFile(join(place, `${i}.png`))
    }
  }
  runJson([fovea, 'data', 'pack', join(folder, `${size}`), '--out', packed])
  return packed
}

/** What runs each peer of a row once; none where none is here. ONNX Runtime computes in float32 in both rows. */
function peersOf(row, precision) {
  const { model, mode, batch, size, classes, steps, recipe, beside } = row
  if (beside) return [{ name: `our ${beside}`, once: () => benchOnce(row, beside) }]
  if (mode === 'two at once') {
    return [{ name: 'one alone', once: () => benchOnce({ model, mode: 'train', batch, size, steps }, precision) }]
  }
  if (recipe) {
    const plain = ['--set', ['crop', 'flip', 'policy'].map(kind => `augmentation.${kind}=none`).join()]
    const once = () => trainOnce({ model, batch, size, steps, recipe }, precision, plain)
    return [{ name: 'without augmentation', once }]
  }
  if (mode === 'end to end')
    return [{ name: 'step', once: () => benchOnce({ model, mode: 'train', batch, size, steps }, precision) }]
  const name = model.replaceAll('-', '_')
  if (mode === 'train') {
    const options = [name, batch, size, classes, precision, steps].map(String)
    return torches.map(({ command, version }) => ({
      name: `PyTorch ${version}`,
      once: () => jsonLines(runPython(command, 'pytorch.py', options)).at(-1),
    }))
  }
  if (!runtime || torches.length === 0) return []
  const file = join(folder, `${name}-${batch}.onnx`)
  if (!existsSync(file)) {
    writeFileSync(file, runPython(torches[0].command, 'export_onnx.py', [name, String(batch), String(size)]))
  }
  const once = () =>
    runJson([join(here, 'peers/onnxruntime.mjs'), file, String(batch), String(size), String(steps)]).at(-1)
  return [{ name: `ONNX Runtime ${runtime}`, once }]
}

/** The lines of JSON that a program of Node's prints. */
function runJson(args) {
  return jsonLines(output([process.execPath, ...args, ...(args[0] === fovea ? ['--json'] : [])]))
}

/** What a script of peers/ prints. It is handed over as text: Python may run in another root, without this folder. */
function runPython(command, script, args) {
  return output([...command, '-', ...args], readFileSync(join(here, 'peers', script)))
}

function output([command, ...args], input) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    input,
    maxBuffer: 1 << 30,
    env: environment,
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${error ?? stderr}`)
  return stdout
}

function jsonLines(printed) {
  return String(printed)
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))
}

function measuredBefore(path) {
  if (!existsSync(path)) return []
  const measured = JSON.parse(readFileSync(path, 'utf8')).results
  return measured.filter(({ model, mode }) => rows.some(row => row.model === model && row.mode === mode))
}

function version([command, ...args]) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
