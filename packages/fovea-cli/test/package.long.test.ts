/** @file Claims about Fovea installed from npm that take minutes: the addon is built there, outside of any checkout. */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { cannotPack, installPacked, npxFovea } from './install-packed.js'

let folder = ''

beforeAll(async () => {
  if (cannotPack === undefined) ({ folder } = await installPacked())
})

beforeEach(context => context.skip(cannotPack !== undefined, cannotPack))

test('fovea setup --build builds the addon of an installed package, which then comes first', async () => {
  const { code, stdout, stderr } = await npxFovea(folder, ['setup', '--build', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ engine: 'onednn', source: 'local build', passedOver: [] })
})
