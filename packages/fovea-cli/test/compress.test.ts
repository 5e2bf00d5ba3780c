/**
 * @file Claims about `fovea compress`: each kind of target is met by measurement or refused, a run that was stopped at any step goes
 * on where it was, and nothing of a user's is replaced.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultEngine, initialWeights, quantizeWeights } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { readModel } from '../src/checkpoint-file.js'
import { imageFolder } from '../src/data/index.js'
import { saveModel } from '../src/index.js'
import type { Output } from '../src/output.js'
import { quantizeWithin } from '../src/quantize/budget.js'
import { colorFolder, type Finished, fovea, type RunOptions, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const env = { FOVEA_DATA: join(folder, 'cache') }
const source = join(folder, 'source')
/** The same for larger images: arithmetic takes most of the time, and without most channels it recognizes less. */
const larger = join(folder, 'larger')
const photos = join(folder, 'photos')

beforeAll(async () => {
  await colorFolder({ train: 16, val: 4 }, photos)
  for (const [out, size] of [
    [source, '8'],
    [larger, '24'],
  ]) {
    const args = ['train', 'resnet8', '--data', photos, '--size', size, '--epochs', '3', '--batch', '8', '--out', out]
    const { code, stderr } = await fovea(args, { env })
    expect(code, stderr).toBe(0)
  }
})

const compress = (out: string, target: string, ...options: string[]) => [
  ...['compress', source, '--data', photos, '--target', target, '--batch', '8', ...options],
  ...['--out', join(folder, out), '--json'],
]
const ofLarger = (args: string[]): string[] => args.map(word => (word === source ? larger : word))
const accountIn = (out: string) => JSON.parse(readFileSync(join(folder, out, 'account.json'), 'utf8'))
const planIn = (out: string) => JSON.parse(readFileSync(join(folder, out, 'compress.json'), 'utf8'))
const events = ({ json }: Finished): string[] => json.map(({ event }) => event)

describe('a file of at most 0.15 of the original, by a run that is stopped again and again', () => {
  const out = join(folder, 'bytes')
  const goOn = ['compress', '--resume', out, '--json']
  const before = () => readdirSync(source).map(name => [name, readFileSync(join(source, name), 'latin1')])
  let was: ReturnType<typeof before>
  let begun: Finished
  let searching: Finished
  let training: Finished
  let trained: Finished
  let last: Finished

  beforeAll(async () => {
    was = before()
    const stop = (at: string, signal: NodeJS.Signals): RunOptions => ({
      env,
      when: { at, act: child => child.kill(signal) },
    })
    begun = await fovea(
      compress('bytes', 'bytes=0.15x', '--epochs', '3', '--multiple-of', '4'),
      stop('"measured"', 'SIGKILL'),
    )
    searching = await fovea(goOn, stop('"measured"', 'SIGINT'))
    training = await fovea(goOn, stop('"epoch":1', 'SIGINT'))
    trained = await fovea(goOn, stop('"event":"done"', 'SIGKILL'))
    last = await fovea(goOn, { env })
    expect(last.code, last.stderr).toBe(0)
  })

  test('says with Ctrl-C how to go on, in the search as in the training', () => {
    for (const { code, stderr } of [searching, training]) {
      expect({ code, stderr }).toEqual({
        code: 130,
        stderr: expect.stringContaining(`go on with: npx fovea compress --resume ${out}\n`),
      })
    }
    for (const { signal } of [begun, trained]) expect(signal).toBe('SIGKILL')
  })

  test('does nothing twice', () => {
    const measured = [searching, training, trained, last].flatMap(({ json }) =>
      json.filter(({ event }) => event === 'measured').map(({ amount }) => amount),
    )
    expect(new Set(measured).size).toBe(measured.length)
    const epochs = [training, trained].flatMap(({ json }) => json.filter(({ event }) => event === 'epoch'))
    expect(epochs.map(({ epoch }) => epoch).sort()).toEqual([1, 2, 3])
    expect(events(last), 'what was trained only becomes integers').toEqual([undefined])
  })

  test('removes as little as will do', () => {
    const { chosen, probes } = planIn('bytes') as { chosen: number; probes: { amount: number; bytes: number }[] }
    const bytesOf = new Map(probes.map(({ amount, bytes }) => [amount, bytes]))
    expect(bytesOf.get(chosen)).toBeLessThanOrEqual(0.15)
    expect(bytesOf.get(Number((chosen - 0.02).toFixed(2)))).toBeGreaterThan(0.15)
  })

  test('ends with a model that is as small as asked, in integers, and its account', async () => {
    const [{ before, after, points, front }] = last.json
    expect(after.fileBytes).toBe(statSync(join(out, 'model.safetensors')).size)
    expect(after.fileBytes).toBeLessThanOrEqual(0.15 * before.fileBytes)
    expect(after.bytes.int8).toBeGreaterThan(0)
    expect(after.kept + after.removed).toBe(before.parameters)
    expect(after.model).toBe(out)
    const { layers, parameters, ...account } = accountIn('bytes')
    expect(account).toEqual(last.json[0])
    expect(layers).toContainEqual({
      ...{ name: 'layer3.0.conv1.weight', dtype: 'int8', channels: 64, kept: expect.any(Number) },
      bytes: { before: expect.any(Number), after: expect.any(Number) },
    })
    const kept = parameters.reduce((sum: number, one: { kept: number }) => sum + one.kept, 0)
    expect(kept).toBe(after.kept)
    const names = points.map(({ amount, integers }: { amount: number; integers: boolean }) => [amount, integers])
    const { chosen } = planIn('bytes')
    expect(names).toEqual([
      [0, false],
      [0, true],
      [chosen, false],
      [chosen, true],
    ])
    for (const { model, fileBytes } of points.slice(1)) {
      expect(statSync(join(model, 'model.safetensors')).size).toBe(fileBytes)
    }
    expect(points).toEqual(expect.arrayContaining(front))
    expect(front).toContainEqual(points[3])
    const evaluated = await fovea(['eval', out, '--data', photos, '--json'], { env })
    expect(evaluated.json[0]).toMatchObject({ accuracy: after.accuracy, images: after.images })
  })

  test('shows the trade-off as a picture, and in a page that needs no other file', () => {
    const page = readFileSync(join(out, 'account.html'), 'utf8')
    expect(page).toContain('Pareto front')
    expect(page).toContain('original, in integers')
    expect(page).not.toMatch(/(src|href)=/)
    const markdown = readFileSync(join(out, 'account.md'), 'utf8')
    expect(markdown).toContain('|  | latency | file | accuracy | best for its bytes |')
    expect(markdown).toMatch(/\| \d+ % removed, in integers \(the result\) \|/)
    expect(markdown).toMatch(/- asked for bytes=0.15x: 0.1\d+x\n/)
    expect(readdirSync(out).some(name => /^trade-off\.(png|svg)$/.test(name))).toBe(true)
  })

  test('keeps the multiples of channels that were asked for, through every stop', () => {
    const { nodes } = readModel(out).graph
    const widths = nodes.filter(({ op, outputs }) => op === 'parameter' && outputs[0].shape.length === 4)
    expect(widths.length).toBeGreaterThan(0)
    for (const { name, outputs } of widths) expect(outputs[0].shape[0] % 4, name).toBe(0)
    expect(widths.some(({ outputs }) => outputs[0].shape[0] % 8 !== 0)).toBe(true)
  })

  test('leaves the original as it was', () => {
    expect(before()).toEqual(was)
  })

  test('is refused a second time, and where it is to be another', async () => {
    // One after another: each takes the folder while it looks.
    const done = await fovea(['compress', '--resume', out])
    const other = await fovea(['compress', '--resume', out, '--target', 'bytes=0.1x'])
    const again = await fovea(compress('bytes', 'bytes=0.1x'), { env })
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining(`'${out}' is done`) })
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('leave out --target') })
    const holds = `'${out}' holds a compression: go on with it (npx fovea compress --resume ${out})`
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining(holds) })
  })
})

test('a latency of 0.8 is met by measurement, and in integers only where these are faster', async () => {
  const run = await fovea(ofLarger(compress('latency', 'latency=0.8x', '--epochs', '1')), { env })
  expect(run.code, run.stderr).toBe(0)
  const { before, after, points } = run.json.at(-1)
  expect(after.latencyMs).toBeLessThanOrEqual(0.8 * before.latencyMs)
  const { integers } = planIn('latency')
  expect(run.json[0].latency < 1).toBe(integers)
  expect(after.bytes.int8 > 0).toBe(integers)
  expect(points.some((point: { integers: boolean }) => point.integers)).toBe(integers)
})

test('of models that lose no more than is allowed, the smallest that was tried is the result', async () => {
  const options = ['--epochs', '1', '--no-distill', '--precision', 'mixed_float16']
  const run = await fovea(compress('accuracy', 'accuracy>=-100', ...options), { env })
  expect(run.code, run.stderr).toBe(0)
  const tried = run.json.filter(({ event }) => event === 'tried')
  expect(tried[0]).toMatchObject({ amount: 0, integers: true })
  expect(tried).toHaveLength(6)
  const budgets = run.json.filter(({ event }) => event === 'budget')
  expect(budgets.map(({ keepFloat32 }) => keepFloat32)).toEqual(tried.map(() => []))
  const { after, points } = run.json.at(-1)
  expect(after.multiplyAdds).toBe(Math.min(...points.map((point: { multiplyAdds: number }) => point.multiplyAdds)))
  const { settings, data } = JSON.parse(
    readFileSync(join(folder, 'accuracy', 'models', `removed-${tried[1].amount}`, 'run.json'), 'utf8'),
  )
  expect(settings).toMatchObject({ precision: 'mixed_float16' })
  expect(settings.distillation).toBeUndefined()
  expect([data.train.images, data.validation.images], 'others decide than those that are trained on').toEqual([39, 9])
})

test('layers that lose too much stay float32 where accuracy is asked for; what was lost before is not the integers’', async () => {
  const { train } = await imageFolder(photos, { size: [8, 8] })
  const model = readModel(source)
  const events: Record<string, unknown>[] = []
  const output = { say: () => {}, result: (event: Record<string, unknown>) => events.push(event) } as unknown as Output
  const options = { measured: train, images: train, engine: await defaultEngine(), output }
  const kept = await quantizeWithin(model, {}, { ...options, maxLoss: 100 })
  expect(kept!.layers.every(({ dtype }) => dtype === 'int8')).toBe(true)
  expect(events).toEqual([{ event: 'budget', keepFloat32: [], loss: expect.any(Number) }])
  const forgetful = { ...model, weights: initialWeights(model.graph, 5) }
  const none = await quantizeWithin(forgetful, {}, { ...options, maxLoss: 0, original: model })
  expect(none).toBeUndefined()
  expect(events).toHaveLength(1)
})

test('what loses more than is allowed is refused, with how much it was and where it is', async () => {
  const options = ['--epochs', '1', '--learning-rate', '1e-9', '--no-distill']
  const { code, stderr } = await fovea(ofLarger(compress('lost', 'bytes=0.06x,accuracy>=0', ...options)), { env })
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /--target accuracy>=0 is not met: \d+ % removed, in integers, which bytes=0.06x needs, loses \d+\.\d+ points; allow more/,
  )
  expect(stderr).toContain(join(folder, 'lost', 'models'))
  expect(existsSync(join(folder, 'lost', 'model.safetensors'))).toBe(false)
})

test('amounts that come to the same channels are measured once', async () => {
  const options = ['--epochs', '1', '--no-distill', '--multiple-of', '16']
  const { code, stderr, json } = await fovea(compress('same', 'bytes=0.2x', ...options), { env })
  expect(code, stderr).toBe(0)
  const gone = json.filter(({ event }) => event === 'measured').map(one => one.gone)
  expect(new Set(gone).size).toBe(gone.length)
  const { probes } = planIn('same') as { probes: { gone: number; bytes: number }[] }
  expect(probes.length).toBeGreaterThan(gone.length)
  for (const { gone, bytes } of probes) expect(probes.find(other => other.gone === gone)).toMatchObject({ bytes })
})

test('a search that finds that a target cannot be met leaves nothing, also where it was stopped before', async () => {
  const stop: RunOptions = { env, when: { at: '"measured"', act: child => child.kill('SIGINT') } }
  const first = await fovea(compress('impossible', 'bytes=0.001x'), stop)
  expect(first.code, first.stderr).toBe(130)
  expect(existsSync(join(folder, 'impossible', 'compress.json'))).toBe(true)
  const { code, stderr } = await fovea(['compress', '--resume', join(folder, 'impossible')], { env })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('bytes=0.001x cannot be met') })
  expect(existsSync(join(folder, 'impossible'))).toBe(false)
})

test('what cannot be is refused by name, and nothing is left', async () => {
  const taken = join(folder, 'taken')
  mkdirSync(join(taken, 'models'), { recursive: true })
  writeFileSync(join(taken, 'trade-off.svg'), 'mine')
  const integers = join(folder, 'weights.safetensors')
  await saveModel(integers, quantizeWeights(readModel(source)))
  const ofIntegers = compress('never', 'bytes=0.5x').map(word => (word === source ? integers : word))
  const cases: [string[], number, string][] = [
    [ofIntegers, 1, 'Start from the model that it was made from'],
    [compress('no', 'bytes=0.001x'), 1, '--target bytes=0.001x cannot be met: bytes is 0.'],
    [compress('no', 'accuracy'), 2, "'accuracy>=-0.5' (in quotes: to a shell, > means a file)"],
    [compress('no', 'bytes=0.5x').filter(word => !/target|bytes/.test(word)), 2, '--target is missing'],
    [compress('no', 'bytes=0.5x', '--epochs', '0'), 2, '--epochs takes'],
    [compress('taken', 'bytes=0.5x'), 1, `'${join(taken, 'models')}', '${join(taken, 'trade-off.svg')}' exist already`],
    [['compress', '--resume', folder], 1, `there is no compression in '${folder}' to go on with`],
    [['compress', join(folder, 'none'), '--data', photos, '--target', 'bytes=0.5x', '--out', 'nowhere'], 1, 'none'],
  ]
  const finished = await Promise.all(cases.map(([args]) => fovea(args, { env, cwd: folder })))
  for (const [i, { code, stderr }] of finished.entries()) {
    const [, expected, message] = cases[i]
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(message) })
  }
  for (const none of ['no', 'never', 'nowhere']) expect(existsSync(join(folder, none)), none).toBe(false)
  expect(readdirSync(taken).sort()).toEqual(['models', 'trade-off.svg'])
})
