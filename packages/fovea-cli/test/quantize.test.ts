/** @file Claims about `fovea quantize`: a smaller model beside its original, with an account; nothing of a user's is replaced. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { readModel } from '../src/checkpoint-file.js'
import { saveModel } from '../src/index.js'
import { colorFolder, type Finished, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const file = join(folder, 'colors.safetensors')
let photos: string

beforeAll(async () => {
  photos = await colorFolder({ train: 16, val: 4 })
  await saveModel(file, createModel('resnet8', { labels: ['blue', 'green', 'red'], input: [8, 8, 3] }))
})

const quantize = (out: string, ...options: string[]) =>
  fovea(['quantize', file, '--data', photos, ...options, '--out', join(folder, out), '--json'])

describe('integers', () => {
  const out = join(folder, 'integers')
  let run: Finished

  beforeAll(async () => {
    run = await quantize('integers', '--images', '32', '--keep-float32', 'fc', '--equalize', '--correct-biases')
    expect(run.code, run.stderr).toBe(0)
  })

  test('are what the account says: as many parameters, but those of norms; fewer bytes', () => {
    const [{ before, after }] = run.json
    expect(after.kept + after.removed).toBe(before.parameters)
    expect(after.bytes.int8).toBeGreaterThan(0.9 * after.parameters)
    expect(after.bytes.float32).toBe(4 * (64 * 3 + 3))
    expect(after.fileBytes).toBe(statSync(join(out, 'model.safetensors')).size)
    expect(after.fileBytes).toBeLessThan(0.4 * before.fileBytes)
    expect(after.multiplyAdds).toBe(before.multiplyAdds)
    expect(after.peakActivationBytes).toBeLessThan(0.3 * before.peakActivationBytes)
    for (const { latencyMs, stepMs, trainingBytes } of [before, after]) {
      expect(latencyMs).toBeGreaterThan(0)
      expect([stepMs, trainingBytes], 'an account is of inference').toEqual([undefined, undefined])
    }
  })

  test('are told as such, with what stays float32 and whether they are slower', () => {
    const [{ before, after }] = run.json
    expect([before.precision, after.precision]).toEqual(['float32', 'int8'])
    expect(before.floatOperators).toBeUndefined()
    expect(after.floatOperators.map(({ op }: { op: string }) => op)).toEqual(['globalAveragePool', 'linear'])
    expect(readFileSync(join(out, 'account.md'), 'utf8')).toContain(
      '- still computed in float32: globalAveragePool (avgpool), linear (fc).',
    )
    expect(before.slower).toEqual([])
    expect(after.slower.includes('latency')).toBe(after.latencyMs > 1.1 * before.latencyMs)
  })

  test('are counted by type, and what folding takes away is told from what is pruned', () => {
    const [{ before, after }] = run.json
    expect(before.parametersByType).toEqual({ float: before.parameters, integer: 0 })
    expect(after.parametersByType).toEqual({ float: 64 * 3 + 3, integer: after.parameters - 64 * 3 - 3 })
    expect([before.folded, after.folded]).toEqual([0, after.removed])
    const { parameters } = JSON.parse(readFileSync(join(out, 'account.json'), 'utf8'))
    expect(parameters).toContainEqual({ name: 'conv1.weight', dtype: 'int8', parameters: 432, kept: 432, removed: 0 })
    expect(parameters).toContainEqual({ name: 'bn1.weight', parameters: 16, kept: 0, removed: 16 })
    expect(parameters).toContainEqual({ name: 'conv1.bias', dtype: 'int32', parameters: 16, kept: 16, removed: 0 })
    const markdown = readFileSync(join(out, 'account.md'), 'utf8')
    expect(markdown).toContain(`| of them norms, folded into layers | 0 | ${after.removed} |`)
    expect(markdown).toContain('| conv1.weight | int8 | 432 | 432 | 0 |')
    expect(markdown).toMatch(/\| as integers \| 0 \| 77,\d+ \|/)
  })

  test('have what they cost each layer in the account', () => {
    const { layers } = JSON.parse(readFileSync(join(out, 'account.json'), 'utf8'))
    expect(layers.at(-1)).toEqual({ name: 'fc', dtype: 'float32' })
    expect(layers[0]).toEqual({ name: 'conv1', dtype: 'int8', signalToNoise: expect.any(Number) })
    expect(readFileSync(join(out, 'account.html'), 'utf8')).toContain('conv1.weight')
    expect(readFileSync(join(out, 'account.md'), 'utf8')).toContain('| weights in integers |')
  })

  test('are measured and told apart by all that takes a model, and neither trained nor quantized again', async () => {
    const [summary, evaluated] = await Promise.all([
      fovea(['summary', join(out, 'model.safetensors'), '--json']),
      fovea(['eval', out, '--data', photos, '--json']),
    ])
    expect(summary.json[0].bytes.int8).toBe(run.json[0].after.bytes.int8)
    expect(summary.json[0].trainingBytes).toBeUndefined()
    expect(evaluated.json[0].accuracy).toBe(run.json[0].after.accuracy)
    const refusals = await Promise.all([
      fovea(['quantize', out, '--data', photos, '--out', join(folder, 'again')]),
      fovea(['train', '--from', out, '--data', photos, '--epochs', '1', '--out', join(folder, 'trained')]),
    ])
    expect(refusals.map(({ code }) => code)).toEqual([1, 1])
    const [again, training] = refusals.map(({ stderr }) => stderr)
    expect(again).toContain("resnet8 is quantized: 'conv1.weight' is int8. Start from the model that it was made from")
    expect(training).toContain(
      "'conv1.weight' is int8, and only float32 trains: start from the model that was quantized",
    )
    expect(existsSync(join(folder, 'again'))).toBe(false)
  })
})

test('a budget keeps layers in float32, the worst first, until no more is lost', async () => {
  const { code, stderr, json } = await quantize('budget', '--images', '16', '--max-loss', '0')
  expect(code, stderr).toBe(0)
  const tried = json.filter(({ event }) => event === 'budget')
  expect(tried[0].keepFloat32).toEqual([])
  expect(tried.some(({ loss }) => loss <= 0)).toBe(true)
  // One that loses too much has fewer layers in float32 than the one that was taken.
  const { layers } = JSON.parse(readFileSync(join(folder, 'budget', 'account.json'), 'utf8'))
  const kept = layers.filter(({ dtype }: { dtype: string }) => dtype === 'float32').length
  for (const { keepFloat32, loss } of tried) if (loss > 0) expect(keepFloat32.length).toBeLessThan(kept)
})

describe('training for integers', () => {
  const out = join(folder, 'trained')
  const options = ['--method', 'qat', '--epochs', '2', '--images', '16', '--batch', '8', '--distill']

  test('is kept with what it started from, and its integers are the model', async () => {
    const { code, stderr, json } = await quantize('trained', ...options)
    expect(code, stderr).toBe(0)
    const account = json.at(-1)
    expect(json.filter(({ event }) => event === 'epoch')).toHaveLength(2)
    expect(account.after.bytes.int8).toBeGreaterThan(0.9 * account.after.parameters)
    const learned = await fovea(['eval', join(out, 'trained'), '--data', photos, '--json'])
    expect(account.after.accuracy).toBeCloseTo(learned.json[0].accuracy, 1)
    expect(readModel(join(out, 'prepared')).weights.get('conv1.weight')).toBeInstanceOf(Float32Array)
    const half = await fovea(['quantize', join(out, 'prepared'), '--data', photos, '--out', join(folder, 'half')])
    expect(half.code).toBe(1)
    expect(half.stderr).toContain('is in the middle of a quantization: resume that in the folder around it')
    const again = await fovea(['quantize', '--resume', out])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('is done: its account is in')
  })

  test('what was pruned stays so', async () => {
    const sparse = join(folder, 'sparse')
    const pruned = await fovea(
      ['prune', file, '--data', photos, '--method', 'magnitude', '--amount', '0.8', '--out', sparse].concat('--json'),
    )
    expect(pruned.code, pruned.stderr).toBe(0)
    const path = join(folder, 'sparse-integers')
    const { code, stderr } = await fovea(['quantize', sparse, '--data', photos, ...options, '--out', path])
    expect(code, stderr).toBe(0)
    const zeros = [...readModel(path).weights].flatMap(([name, values]) =>
      /conv\d\.weight$/.test(name) ? Array.from(values, w => (w === 0 ? 1 : 0) as number) : [],
    )
    expect(zeros.reduce((a, b) => a + b, 0) / zeros.length).toBeGreaterThan(0.75)
  })

  test('goes on where it was', async () => {
    const path = join(folder, 'stopped')
    await quantize('stopped', ...options)
    // As if it had been killed before its account, and then before the end of its training.
    rmSync(join(path, 'account.json'))
    const whole = await fovea(['quantize', '--resume', path, '--json'])
    expect(whole.code, whole.stderr).toBe(0)
    expect(whole.json.filter(({ event }) => event === 'epoch')).toEqual([])
    rmSync(join(path, 'account.json'))
    rmSync(join(path, 'trained'), { recursive: true })
    const anew = await fovea(['quantize', '--resume', path, '--json'])
    expect(anew.json.filter(({ event }) => event === 'epoch')).toHaveLength(2)
    const { accuracy } = anew.json.at(-1).after
    expect(accuracy).toBe(whole.json.at(-1).after.accuracy)
  })
})

test('weights alone, in each type', async () => {
  const [, floats] = await Promise.all(
    ['int8', 'float16'].map(async type => {
      const { code, stderr, json } = await quantize(type, '--method', 'weights', '--type', type)
      expect(code, stderr).toBe(0)
      return json[0].after
    }),
  )
  expect(floats.bytes.float16).toBeGreaterThan(floats.bytes.float32)
  expect(readModel(join(folder, 'int8')).weights.get('conv1.weight')).toBeInstanceOf(Int8Array)
})

describe('a quantization without training that was killed', () => {
  const goOn = (out: string) => fovea(['quantize', '--resume', join(folder, out), '--json'])
  const accountIn = (out: string) => JSON.parse(readFileSync(join(folder, out, 'account.json'), 'utf8'))

  test.each([
    ['ptq', ['--images', '16', '--max-loss', '100', '--keep-float32', 'fc,conv1', '--equalize', '--weight-bits', '7']],
    ['weights', ['--method', 'weights', '--type', 'float16']],
  ])('goes on where it was: %s', async (out, options) => {
    expect((await quantize(out, ...options)).code).toBe(0)
    const [model, account, plan] = ['model.safetensors', 'account.json', 'quantize.json'].map(n => join(folder, out, n))
    const [whole, { layers, after }] = [readFileSync(model), accountIn(out)]
    // As if it had been killed before its account: its model is the result.
    rmSync(account)
    const refused = await quantize(out, ...options)
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `holds a quantization: go on with it (npx fovea quantize --resume ${join(folder, out)})`,
      ),
    })
    expect(await goOn(out)).toMatchObject({ code: 0, json: [{ after: { accuracy: after.accuracy } }] })
    expect(accountIn(out).layers).toEqual(layers)
    // And before its model was known to be whole: that is made anew.
    rmSync(account)
    const { layers: _, ...begun } = JSON.parse(readFileSync(plan, 'utf8'))
    writeFileSync(plan, JSON.stringify(begun))
    writeFileSync(model, 'half')
    const anew = await goOn(out)
    expect(anew.code, anew.stderr).toBe(0)
    expect(readFileSync(model).equals(whole)).toBe(true)
    expect(accountIn(out).layers).toEqual(layers)
  })
})

test('two at once in one folder: one is refused, and what the other leaves is whole', async () => {
  const both = await Promise.all([quantize('twice'), quantize('twice')])
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
  const { stderr } = both.find(({ code }) => code === 1)!
  // Who comes when all is done is told that it is there.
  expect(stderr).toMatch(/is in use by another run|holds a quantization/)
  const account = JSON.parse(readFileSync(join(folder, 'twice', 'account.json'), 'utf8'))
  expect(account.after.fileBytes).toBe(statSync(join(folder, 'twice', 'model.safetensors')).size)
})

test('what does not fit is refused by name, and nothing is left', async () => {
  const taken = join(folder, 'taken')
  mkdirSync(taken)
  writeFileSync(join(taken, 'account.md'), 'mine')
  const refused = await Promise.all([
    quantize('no', '--type', 'int8'),
    quantize('no', '--method', 'weights', '--max-loss', '1'),
    quantize('no', '--weight-bits', '4'),
    quantize('no', '--keep-float32', 'conv9'),
    quantize('no', '--epochs', '3'),
    quantize('no', '--method', 'qat'),
    fovea(['quantize', '--resume', folder]),
    quantize('taken'),
  ])
  expect(refused.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 1, 1])
  const [type, budget, bits, layer, epochs, none, nothing, own] = refused.map(({ stderr }) => stderr)
  expect(type).toContain('--type is for --method weights')
  expect(budget).toContain('--max-loss is for --method ptq')
  expect(bits).toContain("--weight-bits takes a whole number from 7 to 8, not '4'")
  expect(layer).toContain("--keep-float32: 'conv9' matches no layer; there are conv1, ")
  expect(epochs).toContain('--epochs is for --method qat')
  expect(none).toContain('--epochs is missing: how long the model trains to tolerate integers, such as --epochs 3')
  expect(nothing).toContain(`there is no quantization in '${folder}' to go on with; start it: npx fovea quantize FILE`)
  expect(own).toContain(join(taken, 'account.md'))
  expect(readFileSync(join(taken, 'account.md'), 'utf8')).toBe('mine')
  expect(existsSync(join(folder, 'no'))).toBe(false)
})
