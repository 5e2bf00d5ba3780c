/** @file Claims about runs that are killed: whatever the moment, going on ends with the bits of a run that never stopped. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { killAndGoOn, resultOf, runFolder, start } from './kill-runs.js'
import { fovea } from './run-fovea.js'

test('killed 5 times ends with the bits of one that never stopped', async ({ annotate }) => {
  await annotate(await killAndGoOn('resnet8', 5, { epochs: 6, limit: 30 }))
})

describe('a run that was killed before it saved anything', () => {
  test('is started again where it had not begun, and --resume says so', async () => {
    const out = runFolder()
    mkdirSync(out)
    writeFileSync(join(out, 'lock'), '999999999')
    expect(await fovea(['train', '--resume', out])).toMatchObject({
      code: 1,
      stderr: `fovea: there is no run in '${out}' to go on with; start it: npx fovea train MODEL --data DATA --epochs N --out ${out}\n`,
    })
    expect((await fovea(start('cnn', out))).code).toBe(0)
  })

  test('begins again with --resume, with the same bits', async () => {
    const [whole, out] = [runFolder(), runFolder()]
    await fovea(start('cnn', whole))
    mkdirSync(out)
    writeFileSync(join(out, 'lock'), '999999999')
    copyFileSync(join(whole, 'run.json'), join(out, 'run.json'))
    expect(await fovea(['train', '--resume', out])).toMatchObject({
      code: 0,
      stderr: `'${out}' has no checkpoint yet: the run begins again\n`,
    })
    expect(resultOf(out)).toEqual(resultOf(whole))
  })
})
