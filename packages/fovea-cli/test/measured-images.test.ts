/** @file Claims about what `eval` and `compare` measure: all images that the models were not trained on, and they say which. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { scanFolder } from '../src/data/folder-scan.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const [photos, run] = [join(folder, 'photos'), join(folder, 'run')]
const env = { FOVEA_DATA: join(folder, 'cache') }
const classes = ['blue', 'green', 'red']

/** Photos without splits: `count` of each class, other ones for each `seed`. */
async function makePhotos(
  count: number,
  seed: number,
  to: string,
  names: readonly string[] = classes,
): Promise<string> {
  const made = await colorFolder({ train: count, val: 0, first: seed * 100 })
  for (const name of names) {
    mkdirSync(join(to, name), { recursive: true })
    for (let i = seed * 100; i < seed * 100 + count; i++) {
      cpSync(join(made, 'train', name, `${i}.png`), join(to, name, `${i}.png`))
    }
  }
  return to
}
const newPhotos = (count: number, names = classes, seed = 1): Promise<string> =>
  makePhotos(count, seed, join(temporaryFolder(), 'new'), names)

/** What `eval` found. */
async function evaluated(model: string, data: string) {
  const { code, json, stderr } = await fovea(['eval', model, '--data', data, '--json'], { env, cwd: folder })
  expect(code, stderr).toBe(0)
  const { images, measured, missing, accuracy } = json[0]
  // That it decoded images is said once for each folder.
  return { images, ...measured, missing, accuracy, stderr: stderr.replace(/^decoded \d+ images? [^\n]*\n/m, '') }
}

/** The first line of what it prints for people. */
const lineOf = async (model: string, data: string): Promise<string> =>
  (await fovea(['eval', model, '--data', data], { env, cwd: folder })).stdout.split('\n')[0]

beforeAll(async () => {
  await makePhotos(10, 0, photos)
  const args = ['--data', 'photos', '--epochs', '1', '--batch', '8', '--out', run]
  const { code, stderr } = await fovea(['train', 'cnn', ...args], { env, cwd: folder })
  expect(code, stderr).toBe(0)
})

describe('eval of a run', () => {
  test('on the folder that it was trained on measures what was held out, by whatever path', async () => {
    const link = join(temporaryFolder(), 'link')
    symlinkSync(photos, link)
    const moved = join(temporaryFolder(), 'moved')
    cpSync(photos, moved, { recursive: true })
    for (const path of [photos, relative(folder, photos), `${photos}/`, link, moved]) {
      const { accuracy, ...result } = await evaluated(run, path)
      expect(result, path).toMatchObject({ images: 6, part: 'held-out', of: 6, trainedOn: 0, missing: [], stderr: '' })
      expect(accuracy, path).toBeCloseTo(JSON.parse(readFileSync(join(run, 'results.json'), 'utf8')).accuracy, 6)
    }
    for (const path of [`${photos}/`, link]) {
      expect(await lineOf(run, path)).toContain(`of the 6 held-out images in ${path},`)
    }
  })

  test('on a packed file of that folder does so too', async () => {
    const file = join(temporaryFolder(), 'my.fovea-data')
    await fovea(['data', 'pack', photos, '--out', file], { env })
    expect(await evaluated(run, file)).toMatchObject({ images: 6, part: 'held-out' })
  })

  test('on new photos measures every one, and so of a packed file of them', async () => {
    const photos = await newPhotos(5)
    expect(await evaluated(run, photos)).toMatchObject({ images: 15, part: 'all', of: 15, trainedOn: 0, stderr: '' })
    expect(await lineOf(run, photos)).toContain(`of all 15 images in ${photos},`)
    const file = join(temporaryFolder(), 'new.fovea-data')
    await fovea(['data', 'pack', photos, '--out', file], { env })
    expect(await evaluated(run, file)).toMatchObject({ images: 15, part: 'all', of: 15 })
  })

  test('on a folder to which photos were added measures the new ones and those that were held out', async () => {
    const more = join(temporaryFolder(), 'more')
    cpSync(photos, more, { recursive: true })
    await makePhotos(3, 2, more)
    expect(await evaluated(run, more)).toMatchObject({ images: 15, part: 'all', of: 39, trainedOn: 24 })
    expect(await lineOf(run, more)).toContain(`of 15 new images in ${more} (24 others were trained on),`)
  })

  test('on images all of which it was trained on measures them, and warns', async () => {
    const known = scanFolder(photos).images.filter(({ split }) => split === 'train')
    for (const count of [1, known.length]) {
      const trained = join(temporaryFolder(), 'trained')
      for (const { path } of known.slice(0, count)) cpSync(join(photos, path), join(trained, path))
      const { stderr, ...result } = await evaluated(run, trained)
      const line = await lineOf(run, trained)
      expect(result).toMatchObject({ images: count, part: 'all', of: count, trainedOn: count })
      expect(line).toContain(count === 1 ? ` of the 1 image in ${trained},` : ` of all 24 images in ${trained},`)
      expect(stderr).toMatch(/^all of these images were trained on, so they tell little: [^\n]+\n$/)
    }
  })

  test('on a folder with test images of its own measures those', async () => {
    const split = await colorFolder({ train: 30, val: 4 })
    expect(await evaluated(run, split)).toMatchObject({ part: 'test', of: 12 })
    expect(await lineOf(run, split)).toMatch(/ of (the )?\d+ (new )?images of val in /)
    expect(await evaluated(run, 'photos')).toMatchObject({ part: 'held-out' })
  })

  test('on photos of some classes only measures them, and names those of which there are none', async () => {
    const one = await newPhotos(1, ['green'])
    expect(await evaluated(run, one)).toMatchObject({ images: 1, part: 'all', missing: ['blue', 'red'] })
    expect(await lineOf(run, one)).toContain(`of the 1 image in ${one},`)
    const two = await newPhotos(2, ['red', 'green'])
    mkdirSync(join(two, 'blue'))
    const { stdout, stderr } = await fovea(['eval', run, '--data', two], { env })
    expect(stdout, stderr).toMatch(/^.* of all 4 images in .*\nno images of: blue\nclass /)
    expect(stdout).not.toMatch(/^blue /m)
  })

  test('on a class that it does not know is refused by name, with the nearest', async () => {
    const photos = await newPhotos(2)
    cpSync(join(photos, 'green'), join(photos, 'Green'), { recursive: true })
    const { code, stderr } = await fovea(['eval', run, '--data', photos], { env })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "fovea: new has class 'Green' (did you mean 'green'?), which cnn does not know; it knows blue, green, red\n",
    })
  })

  test('says what it left out of a folder', async () => {
    const photos = await newPhotos(1)
    writeFileSync(join(photos, 'red', 'notes.txt'), 'x')
    const { stdout } = await fovea(['eval', run, '--data', photos], { env })
    expect(stdout).toMatch(/left out, as no images that can be read: 1 \.txt/)
  })

  test('with --out leaves results and pictures of what it measured', async () => {
    const out = join(temporaryFolder(), 'out')
    await fovea(['eval', run, '--data', await newPhotos(2), '--out', out], { env })
    // Pictures are SVG where the machine has no fonts.
    const files = readdirSync(out).map(name => name.replace(/\.svg$/, '.png'))
    expect(files.sort()).toEqual(['calibration.png', 'mistakes.png', 'results.json'])
    expect(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))).toMatchObject({ images: 6 })
  })
})

test('a fine-tuned model knows the images of the run that it started from', async () => {
  const out = join(temporaryFolder(), 'run')
  const args = ['--from', run, '--data', await newPhotos(10), '--epochs', '1', '--batch', '8', '--out', out]
  expect((await fovea(['train', ...args], { env })).code).toBe(0)
  expect(await evaluated(out, photos)).toMatchObject({ images: 6, part: 'all', of: 30, trainedOn: 24 })

  const both = await makePhotos(10, 1, join(temporaryFolder(), 'both'))
  cpSync(photos, both, { recursive: true })
  const again = join(temporaryFolder(), 'run')
  const other = ['--from', out, '--data', both, '--epochs', '1', '--batch', '8', '--out', again]
  expect((await fovea(['train', ...other], { env })).code).toBe(0)
  const { images, part, of, trainedOn } = await evaluated(again, both)
  expect({ part, of }).toEqual({ part: 'held-out', of: 12 })
  // Of twenty images a class, the two runs before trained on sixteen.
  expect(trainedOn).toBeGreaterThan(0)
  expect(images).toBe(of - trainedOn)
})

describe('a model of which nothing tells on which images it was trained', () => {
  const bare = join(folder, 'bare.safetensors')
  beforeAll(() => cpSync(join(run, 'model.safetensors'), bare))

  test('is measured on all of a folder, and it is said that it may know some', async () => {
    const result = await evaluated(bare, photos)
    expect(result).toMatchObject({ images: 30, part: 'all', of: 30, trainedOn: null })
    expect(result.stderr).toMatch(
      /^nothing beside '.*bare\.safetensors' tells which images it was trained on: [^\n]*\n$/,
    )
  })

  test('is measured on the test images of a folder, and no other is decoded, unless all were before', async () => {
    const split = await colorFolder({ train: 5, val: 2 })
    const decoded = async (model: string) =>
      /^decoded (\d+) images/m.exec((await fovea(['eval', model, '--data', split, '--json'], { env })).stderr)?.[1]
    const first = await fovea(['eval', bare, '--data', split, '--json'], { env })
    expect(first.stderr).toMatch(/^decoded 6 images in /m)
    expect(await decoded(bare)).toBeUndefined()
    expect(await decoded(run)).toBe('21')
    rmSync(join(split, 'train', 'red', '0.png'))
    const again = await fovea(['eval', bare, '--data', split, '--json'], { env })
    expect(again.json[0]).toEqual({ ...first.json[0], seconds: expect.any(Number) })
  })

  test('a file of a run is known by the folder that it lies in, also through a link', async () => {
    const link = join(temporaryFolder(), 'link.safetensors')
    symlinkSync(join(run, 'best.safetensors'), link)
    for (const file of [join(run, 'last.safetensors'), link]) {
      expect(await evaluated(file, photos)).toMatchObject({ part: 'held-out', stderr: '' })
    }
  })

  test('what tells of it, damaged, is refused by name', async () => {
    const damaged = join(temporaryFolder(), 'run')
    cpSync(run, damaged, { recursive: true })
    writeFileSync(join(damaged, 'trained-images.safetensors'), 'x')
    const { code, stderr } = await fovea(['eval', damaged, '--data', photos], { env })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('trained-images.safetensors') })
  })
})

test('a run of before, which kept no hashes, knows its own data by its record, and of others says that it cannot', async () => {
  const old = join(temporaryFolder(), 'run')
  cpSync(run, old, { recursive: true })
  rmSync(join(old, 'trained-images.safetensors'))
  expect(await evaluated(old, photos)).toMatchObject({ part: 'held-out', of: 6, trainedOn: 0, stderr: '' })
  const result = await evaluated(old, await newPhotos(2))
  expect(result).toMatchObject({ part: 'all', of: 6, trainedOn: null })
  expect(result.stderr).toBe(
    `nothing beside '${old}' tells which images it was trained on: a model recognizes the images that it knows better than new ones\n`,
  )
})

describe('compare', () => {
  const compared = async (names: readonly string[], data: string, ...more: string[]) => {
    const args = ['compare', ...names, '--data', data, '--steps', '1', '--batch', '2', ...more]
    const { code, json, stderr } = await fovea([...args, '--json'], { env })
    expect(code, stderr).toBe(0)
    return { ...json[0].measured, accuracies: json[0].models.map(({ accuracy }: { accuracy: number }) => accuracy) }
  }

  test('measures saved models on all images of a folder that none was trained on', async () => {
    expect(await compared([run], await newPhotos(5))).toMatchObject({ part: 'all', of: 15, trainedOn: 0 })
    const one = await newPhotos(1, ['red'])
    expect(await compared([run], one)).toMatchObject({ part: 'all', of: 1, accuracies: [expect.any(Number)] })
    expect(await compared([run, 'resnet8'], one)).toMatchObject({ part: 'all', of: 1 })
    expect(await compared([run], photos)).toMatchObject({ part: 'held-out', of: 6, trainedOn: 0 })
  })

  test('measures models of other sizes, one of which was trained on some of the images, on the same others', async () => {
    const mixed = join(temporaryFolder(), 'mixed')
    cpSync(photos, mixed, { recursive: true })
    await makePhotos(5, 1, mixed)
    const small = join(temporaryFolder(), 'small')
    const args = ['--data', await newPhotos(5), '--size', '12', '--epochs', '1', '--batch', '4', '--out', small]
    expect((await fovea(['train', 'resnet8', ...args], { env })).code).toBe(0)
    const { accuracies, ...measured } = await compared([run, small], mixed)
    expect(measured).toMatchObject({ part: 'all', of: 45, trainedOn: 24 + 12 })
    const { stdout } = await fovea(['compare', run, small, '--data', mixed, '--steps', '1'], { env })
    expect(stdout).toContain(`measured on 9 new images in ${mixed} (36 others were trained on)\n`)
    for (const accuracy of accuracies) expect((9 * accuracy) % 1).toBeCloseTo(0, 6)
  })

  test('with models that are trained on the folder, measures what is held out for all', async () => {
    const { accuracies, ...measured } = await compared([run, 'resnet8'], photos, '--epochs', '1')
    expect(measured).toMatchObject({ part: 'held-out', of: 6, trainedOn: 0 })
    expect(accuracies).toHaveLength(2)
  })
})
