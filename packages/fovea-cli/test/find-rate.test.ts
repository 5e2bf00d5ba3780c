/** @file Claims about `fovea find-rate`, on real images. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fovea, temporaryFolder } from './run-fovea.js'

test('it finds a rate at which photos of clothes are learned, the same each time, and draws its plot', async () => {
  const folder = temporaryFolder()
  const args = ['cnn', '--data', 'fashion-mnist', '--limit', '2000', '--out', join(folder, 'rates.png'), '--json']
  const env = { FOVEA_DATA: temporaryFolder() }
  const { code, json, stderr } = await fovea(['find-rate', ...args], { env })
  expect(code, stderr).toBe(0)
  const [{ suggestion, tenthOfLowest, steps, picture }] = json
  // Adam's, for a small network: 0.001 is what people use.
  for (const rate of [suggestion, tenthOfLowest]) {
    expect(rate).toBeGreaterThan(1e-4)
    expect(rate).toBeLessThan(2e-2)
  }
  expect(steps[0].learningRate).toBe(1e-6)
  expect(existsSync(picture)).toBe(true)
  rmSync(picture)
  expect((await fovea(['find-rate', ...args], { env })).json).toEqual(json)
})

test('from few images it gives rates and says how far to trust them, from a handful it gives none', async () => {
  const env = { FOVEA_DATA: temporaryFolder() }
  const findRate = (limit: string) => {
    const out = join(temporaryFolder(), 'rates.png')
    return fovea(['find-rate', 'cnn', '--data', 'fashion-mnist', '--limit', limit, '--out', out, '--json'], { env })
  }
  const some = await findRate('100')
  expect(some.code).toBe(0)
  expect(some.json[0].passes).toBeGreaterThan(10)
  expect(some.stderr).toMatch(/^each of the 100 images was seen \d+ times, .*: take the rates as rough ones/m)
  const few = await findRate('12')
  expect({ code: few.code, stdout: few.stdout }).toEqual({ code: 1, stdout: '' })
  expect(few.stderr).toMatch(/^fovea: data.train: 12 images are too few to find a learning rate by: [^\n]+\n$/)
})

test('too few steps to tell anything by are refused', async () => {
  const { code, stderr } = await fovea(['find-rate', 'cnn', '--data', 'fashion-mnist', '--steps', '10'])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('--steps takes a whole number of at least 50'),
  })
})
