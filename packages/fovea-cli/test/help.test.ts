/** @file Claims about how the command starts, and what it says of itself: its commands, and with `--explain` a run's numbers. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { foveaVersion } from '../src/machine.js'
import { createProgram } from '../src/program.js'
import { colorFolder, fovea, preload } from './run-fovea.js'

test('help lists every command', async () => {
  const { stdout } = await fovea(['--help'])
  const verbs = readdirSync(join(import.meta.dirname, '../src/commands')).map(file => file.replace('.ts', ''))
  expect(verbs).toContain('train')
  for (const verb of verbs) expect(stdout).toContain(`\n  ${verb} `)
})

test.each([[[]], [['data']]])('fovea %j, without a command, shows which there are and nothing more', async args => {
  const { code, stdout, stderr } = await fovea(args)
  expect(stderr).toMatch(/^Usage: fovea .*\n {2}help \[command\][^\n]*\n/s)
  expect(stderr).not.toContain('outputHelp')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('train --explain prints every number of a run and starts none', async () => {
  const args = ['train', 'resnet20', '--recipe', 'paper', '--batch', '64', '--seed', '3', '--explain']
  const { code, stdout } = await fovea([...args, '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    model: 'resnet20',
    recipe: 'paper',
    steps: 64_000,
    batchSize: 64,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.0001 },
    schedule: { type: 'step', rate: 0.05, milestones: [0.5, 0.75], factor: 0.1, warmupSteps: 0 },
    groups: [{ match: '*', rate: 1, weightDecay: 0.0001, from: 0 }],
    loss: 'cross-entropy',
    labels: 'index',
    labelSmoothing: 0,
    augmentation: { crop: { padding: 4, fill: 'zero' }, flip: 'random' },
    accumulate: 1,
    normStatistics: 'batch',
    precision: 'float32',
    seed: 3,
    testTimeAugmentation: 'none',
  })
  const set = ['--set', 'optimizer.momentum=0.8,augmentation.flip=none,optimizer.nesterov=true']
  expect(JSON.parse((await fovea([...args, ...set, '--json'])).stdout)).toMatchObject({
    optimizer: { momentum: 0.8, nesterov: true },
    augmentation: { crop: { padding: 4, fill: 'zero' } },
  })
  const wrong = await fovea([...args, '--set', 'optimizer.momentun=1'])
  const nearest = "--set optimizer.momentun: unknown setting; did you mean 'optimizer.momentum'?"
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining(nearest) })
  expect((await fovea(args)).stdout).toMatch(/schedule\.milestones +0\.5, 0\.75\n/)
  expect((await fovea(['train', 'speednet', '--explain'])).stdout).toMatch(/groups\.0\.match +\*\.norm\?\.bias\n/)
})

test('a command is loaded alone; where the first word is none, all are', async () => {
  const verbs = async (first?: string) => (await createProgram(first)).commands.map(command => command.name())
  expect(await verbs('data')).toEqual(['data'])
  const all = await verbs()
  expect(all).toContain('data')
  for (const first of ['--help', 'help', 'dat', 'toString']) expect(await verbs(first)).toEqual(all)
})

test.each(['--experimental-require-module', '--no-experimental-require-module'])(
  'what npm links starts: node %s',
  option => {
    const bin = join(import.meta.dirname, '../bin/fovea.mjs')
    const { stdout, stderr } = spawnSync(process.execPath, [option, bin, '--version'], { encoding: 'utf8' })
    expect({ stdout, stderr }).toEqual({ stdout: `${foveaVersion()}\n`, stderr: '' })
  },
)

test.runIf(process.platform === 'linux')('the image library is loaded with the first image', async () => {
  const env = preload(`
    import { readFileSync } from 'node:fs'
    process.on('exit', () => console.error('libvips:', readFileSync('/proc/self/maps', 'utf8').includes('libvips')))`)
  expect((await fovea(['summary', 'resnet8'], { env })).stderr).toBe('libvips: false\n')
  expect((await fovea(['data', 'info', await colorFolder({ train: 1, val: 1 })], { env })).stderr).toContain(
    'libvips: true',
  )
})
