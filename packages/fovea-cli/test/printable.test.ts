/**
 * @file Claims about names that would move a cursor, clear a screen or turn text around: people see them written out, in
 * every command, message and picture, and programs find them unchanged in JSON.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel } from 'fovea'
import sharp from 'sharp'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { saveModel } from '../src/index.js'
import { printable } from '../src/printable.js'
import { progressBar } from '../src/progress.js'
import { escapeText, fit, text } from '../src/reports/svg.js'
import { formatTable } from '../src/table.js'
import { colorFolder, fovea, paste, type RunOptions, temporaryFolder } from './run-fovea.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/

test('what cannot be seen is written out, and nothing else is', () => {
  expect(printable('a\u001b[2Jb\r\n\t\u0007\u007f\u009b')).toBe('a\\x1b[2Jb\\r\\n\\t\\x07\\x7f\\x9b')
  expect(printable('evil\u202egnp.exe\u2028\ud800\uffff')).toBe('evil\\u202egnp.exe\\u2028\\ud800\\uffff')
  for (const fine of ['résumé', 'Ärger', '猫', '👩‍👧', 'a\\b', '№ 5']) expect(printable(fine)).toBe(fine)
})

test('a cell of a table stays on its line', () => {
  expect(formatTable([{ title: 'class' }], [['a\nb\u001b[1m']])).toBe(
    'class\n─────────\na\\nb\\x1b[1m'.replace('─'.repeat(9), '─'.repeat(11)),
  )
})

test('a progress bar moves no cursor but its own', () => {
  const { isTTY } = process.stderr
  const written: string[] = []
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
  const raw = /\u001b\[[23]J/
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(text => written.push(String(text)) > 0)
  process.stderr.isTTY = true
  try {
    const bar = progressBar('photos\u001b[2J', 1)
    bar.update(1, 'red\u001b[3J\n')
    bar.stop()
  } finally {
    process.stderr.isTTY = isTTY
    write.mockRestore()
  }
  expect(written.join('')).toContain('photos\\x1b[2J')
  expect(written.join('')).not.toMatch(raw)
})

test('a picture is drawn whatever stands in it', async () => {
  const name = '\u0000<b>\u001b\u009b\ud800\uffff\u202e&'
  expect(escapeText(name)).toBe('\\x00&#60;b&#62;\\x1b\\x9b\\ud800\\uffff\\u202e&#38;')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20">${text(0, 9, fit(name, 80))}</svg>`
  expect((await sharp(Buffer.from(svg)).metadata()).width).toBe(90)
})

describe.skipIf(process.platform === 'win32')('in folders, classes and files of such names', () => {
  const home = temporaryFolder()
  const env = { FOVEA_DATA: join(home, 'cache\u001b]0;cache\u0007') }
  const evil = { blue: 'blue\u001b[31m', green: 'green\u009b2J\u202e', red: 'red\nfovea: done' }
  const photos = 'photos\u001b[2J\nfovea: all is well'
  const run = 'run\u001b[1m\r'
  const settings = ['--data', photos, '--epochs', '1', '--batch', '4']
  const image = join(photos, 'val', evil.red, '0.png')

  /** Runs a command and expects that nothing raw is printed. */
  async function tame(args: readonly string[], options: RunOptions = {}) {
    const done = await fovea(args, { cwd: home, env, ...options })
    expect(done.stdout).not.toMatch(RAW)
    expect(done.stderr).not.toMatch(RAW)
    // A line of its own is what a name must not have.
    expect(done.stdout + done.stderr).not.toMatch(/^fovea: (done|all is well)/m)
    return done
  }

  beforeAll(async () => {
    await colorFolder({ train: 10, val: 2 }, join(home, photos))
    for (const split of ['train', 'val']) {
      for (const [name, other] of Object.entries(evil)) {
        renameSync(join(home, photos, split, name), join(home, photos, split, other))
      }
    }
    expect((await tame(['train', 'cnn', ...settings, '--out', run])).code).toBe(0)
  })

  test.each([
    [['data', 'info', photos]],
    [['data', 'pack', photos, '--out', 'packed\u001b.fovea-data']],
    [['eval', run, '--data', photos, '--out', 'eval\u001b']],
    [['predict', run, image]],
    [['summary', run]],
    [['compare', run, 'cnn', '--data', photos, '--steps', '1', '--batch', '4', '--out', 'compared\u001b']],
    [['find-rate', 'cnn', '--data', photos, '--steps', '50', '--batch', '4', '--out', 'rate\u001b.png']],
    [['bench', 'cnn', '--batch', '1', '--steps', '1', '--trace', 'trace\u001b', '--engine', 'onednn', '--profile']],
    [['train', '--explain', '--from', run, '--data', photos]],
    [['train', '--from', run, ...settings, '--out', 'other\u001b']],
    [['train', '--resume', run]],
  ])('%j prints nothing raw', async args => {
    expect((await tame(args)).code).toBe(0)
  })

  test('JSON has the very names', async () => {
    const { json } = await tame(['data', 'info', photos, '--json'])
    expect(json[0]).toMatchObject({ data: photos, classes: Object.values(evil) })
    const predicted = await tame(['predict', run, image, '--json'])
    expect(predicted.json[0].image).toBe(image)
    expect(Object.values(evil)).toContain(predicted.json[0].predictions[0].label)
    const results = JSON.parse(readFileSync(join(home, 'eval\u001b', 'results.json'), 'utf8'))
    expect(results.classes.map(({ label }: { label: string }) => label)).toEqual(Object.values(evil))
  })

  test('warnings and errors print nothing raw, and are one line', async () => {
    const bad = join(home, photos, 'train', evil.red, 'bad\u0007.png')
    for (const [code, args] of [
      [1, ['train', 'cnn', ...settings, '--out', run]],
      [1, ['train', '--resume', 'none\u001b']],
      [1, ['eval', 'none\u001b[1m', '--data', photos]],
      [1, ['predict', run, 'none\u001b[1m.jpg']],
      [1, ['train', 'cnn', '--data', 'none\u001b[1m', '--epochs', '1']],
      [2, ['\u001b[1mtrain']],
      [2, ['train', '\u001b[1mcnn']],
      [2, ['train', '--\u001b[1mout']],
      [2, ['train', 'cnn', '--engine', '\u001b[1m']],
    ] as const) {
      const done = await tame(args)
      expect({ code: done.code, stderr: done.stderr }).toEqual({ code, stderr: expect.stringMatching(/^fovea: .+\n$/) })
    }
    writeFileSync(bad, 'no image')
    expect(await tame(['data', 'info', photos], { env: { ...env, FOVEA_DEBUG: '1' } })).toMatchObject({ code: 1 })
    expect(await tame(['data', 'info', photos, '--skip-bad'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('bad\\x07.png'),
    })
  })

  test('a model of such a name keeps its run inside of runs/, and the record repeats it', async () => {
    const cnn = createModel('cnn', { input: [24, 24, 3], labels: ['a', 'b'] })
    await saveModel(join(home, 'own.safetensors'), { ...cnn, name: '../../\u001b[1mmine/x' })
    expect(await tame(['summary', 'own.safetensors'])).toMatchObject({ code: 0 })
    const { code, stderr } = await tame([
      'train',
      '--from',
      'own.safetensors',
      '--data',
      photos,
      ...settings.slice(2),
      '--skip-bad',
    ])
    expect(code, stderr).toBe(0)
    expect(readdirSync(join(home, 'runs'))).toEqual(['1mmine-x'])
    const { command } = JSON.parse(readFileSync(join(home, 'runs', '1mmine-x', 'run.json'), 'utf8'))
    expect(command).not.toMatch(RAW)
    expect(paste(command, { cwd: home, env })).toContain('held-out accuracy')
  })
})
