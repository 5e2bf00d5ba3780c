import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { embeddedFashionMnist, fashionMnist } from '../../src/data/fashion-mnist.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()

it('ships 10,000 training and 2,000 test images, as many of each class, in under 10 MB with their licence', async () => {
  const { train, test } = await fashionMnist({ cache: temporary.path() })
  for (const [part, each] of [
    [train, 1000],
    [test, 200],
  ] as const) {
    const counts = new Array(10).fill(0)
    for (const label of part.labels) counts[label]++
    expect(counts).toEqual(new Array(10).fill(each))
    expect(part.imageShape).toEqual([28, 28, 1])
    expect(part.classes[9]).toBe('Ankle boot')
  }
  const files = readdirSync(embeddedFashionMnist)
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(embeddedFashionMnist, file)).length, 0)
  expect(bytes).toBeLessThan(10e6)
  expect(readFileSync(join(embeddedFashionMnist, 'LICENSE'), 'utf8')).toContain('Zalando SE')
})

it('holds the images of the original: the first is an ankle boot with the known pixels', async () => {
  const { train } = await fashionMnist({ cache: temporary.path() })
  const image = new Uint8Array(784)
  train.read([0], image)
  expect(train.labels[0]).toBe(9)
  // Row 3 of the first image of the original file.
  expect([...image.subarray(3 * 28 + 12, 3 * 28 + 24)]).toEqual([1, 0, 0, 13, 73, 0, 0, 1, 4, 0, 0, 0])
})

it("prefers the user's own files, zipped or not, and names what is missing or damaged", async () => {
  const own = temporary.path('fashion-mnist')
  mkdirSync(own)
  for (const file of readdirSync(embeddedFashionMnist)) copyFileSync(join(embeddedFashionMnist, file), join(own, file))
  const unzipped = join(own, 't10k-labels-idx1-ubyte')
  writeFileSync(unzipped, gunzipSync(readFileSync(`${unzipped}.gz`)))
  rmSync(`${unzipped}.gz`)
  const load = () => fashionMnist({ cache: temporary.path() })
  expect((await load()).test.length).toBe(2000)
  truncateSync(unzipped, 500)
  await expect(load()).rejects.toThrow(/t10k-labels-idx1-ubyte' is not an IDX file.*2000 need 2000 bytes, it has 492/)
  rmSync(unzipped)
  await expect(load()).rejects.toThrow('lacks t10k-labels-idx1-ubyte.gz, a file of Fashion-MNIST')
})
