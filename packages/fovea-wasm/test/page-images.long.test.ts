/**
 * @file Claims about `fovea/browser` in real Chromium: models see files, frames and canvases of a page as the command line sees files, and
 * what cannot be read is named. Installs playwright-core from npm; Chromium must be there, and dist/ be built.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeImage } from 'fovea-cli/data'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium, install, launch, serveFolder } from '../../fovea-cli/test/browser.js'
import { colorFolder, temporaryFolder } from '../../fovea-cli/test/run-fovea.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = temporaryFolder()
const photos = join(folder, 'photos')
let server: Server
let address: string
// biome-ignore lint/suspicious/noExplicitAny: installed by the test
let browser: any

/** A picture without sharp edges, whose corners differ. */
const [width, height] = [300, 200]
const raw = (channels: 3 | 4) =>
  sharp(
    Uint8Array.from({ length: width * height * channels }, (_, i) => {
      const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)]
      return [x * 0.8, y * 1.2, 128 + 100 * Math.sin(x / 30), 55 + y][i % channels]
    }),
    { raw: { width, height, channels } },
  )

describe.skipIf(chromium === undefined)('a page in Chromium (apt-get install chromium)', () => {
  beforeAll(async () => {
    install(folder, 'playwright-core')
    execFileSync(process.execPath, [join(root, 'scripts/bundle-page.mjs')])
    mkdirSync(photos)
    await raw(3).png().toFile(join(photos, 'opaque.png'))
    await raw(4).png().toFile(join(photos, 'transparent.png'))
    await raw(3).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toFile(join(photos, 'turned.jpg'))
    // More pixels than some canvases hold.
    await raw(3).resize(5400, 3600).jpeg({ quality: 95 }).toFile(join(photos, 'large.jpg'))
    await raw(3).webp({ quality: 95 }).toFile(join(photos, 'photo.webp'))
    ;({ server, address } = await serveFolder(root))
    browser = await launch(folder)
  })

  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  async function opened(file = 'packages/fovea-wasm/test/page/images.html') {
    const context = await browser.newContext({ permissions: ['camera'] })
    context.setDefaultTimeout(0)
    const tab = await context.newPage()
    const errors: string[] = []
    tab.on('pageerror', (error: Error) => errors.push(error.message))
    await tab.goto(address + file)
    const ask = (expression: string): Promise<unknown> => tab.evaluate(expression)
    return { tab, ask, errors }
  }

  /** The levels of images are the same but for what decoders and canvases round. */
  function expectAlike(levels: unknown, expected: Uint8Array, what: string): void {
    const apart = Array.from(expected, (level, i) => Math.abs(level - (levels as number[])[i]))
    expect((levels as number[]).length, what).toBe(expected.length)
    expect(apart.reduce((a, b) => a + b) / apart.length, what).toBeLessThan(2)
  }

  const names = ['opaque.png', 'transparent.png', 'turned.jpg', 'large.jpg', 'photo.webp']

  test('files are seen as the command line sees them: turned, over white, the centre cropped, in colours or grey', async () => {
    const { tab, ask } = await opened()
    await tab.setInputFiles(
      '#files',
      names.map(name => join(photos, name)),
    )
    for (const [i, name] of names.entries()) {
      for (const size of [
        [32, 32, 3],
        [24, 40, 3],
        [32, 32, 1],
      ] as const) {
        for (const resizing of [undefined, { crop: 0.75, interpolation: 'bicubic' }] as const) {
          const given = [size, resizing].map(value => JSON.stringify(value)).join(', ')
          const levels = await ask(`browser.decodeImage(files.files[${i}], ${given}).then(pixels => [...pixels])`)
          expectAlike(levels, await decodeImage(join(photos, name), size, resizing), `${name} ${given}`)
        }
      }
    }
  })

  test('a canvas, its pixels, a bitmap, an element and a frame are seen alike, in a page and in a worker', async () => {
    const { tab, ask } = await opened()
    await tab.setInputFiles('#files', join(photos, 'opaque.png'))
    const expected = await decodeImage(join(photos, 'opaque.png'), [32, 32, 3])
    const all = (await ask(`(async () => {
      const file = files.files[0]
      const bitmap = await createImageBitmap(file)
      const { width, height } = bitmap
      const canvas = Object.assign(document.createElement('canvas'), { width, height })
      const context = canvas.getContext('2d')
      context.drawImage(bitmap, 0, 0)
      const offscreen = new OffscreenCanvas(width, height)
      offscreen.getContext('2d').drawImage(bitmap, 0, 0)
      const image = new Image()
      image.src = URL.createObjectURL(file)
      await image.decode()
      const frame = new VideoFrame(bitmap, { timestamp: 0 })
      const kinds = { bitmap, canvas, offscreen, image, frame, pixels: context.getImageData(0, 0, width, height) }
      const seen = {}
      for (const [kind, picture] of Object.entries(kinds)) seen[kind] = [...(await browser.decodeImage(picture, [32, 32, 3]))]
      const worker = new Worker('images-worker.js', { type: 'module' })
      worker.postMessage({ picture: file, size: [32, 32, 3] })
      seen.worker = [...(await new Promise(resolve => (worker.onmessage = ({ data }) => resolve(data))))]
      return seen
    })()`)) as Readonly<Record<string, number[]>>
    expect(Object.keys(all).length).toBe(7)
    for (const [kind, levels] of Object.entries(all)) expectAlike(levels, expected, kind)
  })

  test('a video is seen as the frame that it shows, and refused before it shows one', async () => {
    const { ask } = await opened()
    await expect(ask('browser.decodeImage(video, [32, 32, 3])')).rejects.toThrow('the picture cannot be read: ')
    const levels = (await ask(`(async () => {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true })
      await video.play()
      return [...(await browser.decodeImage(video, [32, 32, 3]))]
    })()`)) as number[]
    expect(levels.length).toBe(32 * 32 * 3)
    expect(new Set(levels).size).toBeGreaterThan(2)
  })

  test('what is no image, or damaged, is named', async () => {
    const { tab, ask } = await opened()
    const bad = await badFiles()
    await tab.setInputFiles(
      '#files',
      bad.map(({ path }) => path),
    )
    for (const [i, { name }] of bad.entries()) {
      await expect(ask(`browser.decodeImage(files.files[${i}], [32, 32, 3])`), name).rejects.toThrow(
        `'${name}' is damaged, or no image that this browser reads`,
      )
    }
    await expect(ask('browser.decodeImage(new Blob(["words"]), [32, 32, 3])')).rejects.toThrow('the picture is damaged')
  })

  async function badFiles(): Promise<{ readonly name: string; readonly path: string }[]> {
    const jpeg = await raw(3).jpeg().toBuffer()
    const png = readFileSync(join(photos, 'opaque.png'))
    const webp = readFileSync(join(photos, 'photo.webp'))
    const files = {
      'notes.txt': Buffer.from('words'),
      'empty.jpg': Buffer.alloc(0),
      'cut.jpg': jpeg.subarray(0, jpeg.length / 2),
      'cut.png': png.subarray(0, png.length / 2),
      'cut.webp': webp.subarray(0, webp.length / 2),
    }
    return Object.entries(files).map(([name, bytes]) => {
      const path = join(folder, name)
      writeFileSync(path, bytes)
      return { name, path }
    })
  }

  const described = `({ name, length, imageShape, classes, labels, pictures }) =>
    ({ name, length, imageShape, classes, labels: [...labels], files: pictures.map(({ name }) => name) })`

  test('a chosen folder is a data set; what cannot be read is refused by name, or left out if that is asked for', async () => {
    const { tab, ask } = await opened()
    const chosen = join(folder, 'chosen')
    await colorFolder({ train: 3, val: 1 }, chosen)
    const size = '{ size: [16, 16, 3] }'
    await tab.setInputFiles('#folder', join(chosen, 'train'))
    expect(await ask(`browser.imageDataset(browser.chosenFolders(folder.files), ${size}).then(${described})`)).toEqual({
      ...{ name: 'pictures', length: 9, imageShape: [16, 16, 3], classes: ['blue', 'green', 'red'] },
      labels: [0, 0, 0, 1, 1, 1, 2, 2, 2],
      files: ['0.png', '1.png', '2.png', '0.png', '1.png', '2.png', '0.png', '1.png', '2.png'],
    })
    const first = await ask(`browser.imageDataset(browser.chosenFolders(folder.files), ${size}).then(images => {
      const pixels = new Uint8Array(16 * 16 * 3)
      images.read([4], pixels)
      return [...pixels]
    })`)
    expectAlike(first, await decodeImage(join(chosen, 'train/green/1.png'), [16, 16, 3]), 'green')

    const [words] = await badFiles()
    cpSync(words.path, join(chosen, 'train/green/0.png'))
    cpSync(words.path, join(chosen, 'train/green/notes.txt'))
    await tab.setInputFiles('#folder', join(chosen, 'train'))
    const problem =
      "2 of 10 pictures that cannot be read: 'train/green/0.png' is damaged, or no image that this browser reads; 'train/green/notes.txt' is damaged"
    const dataset = (options: string) =>
      ask(`(async () => {
      const notices = []
      const progress = []
      const onNotice = notice => notices.push(notice)
      const onProgress = ({ done, total }) => progress.push(done + ' of ' + total)
      const given = { size: [16, 16, 3], onNotice, onProgress, ...${options} }
      const images = await browser.imageDataset(browser.chosenFolders(folder.files), given)
      return { notices, progress, images: (${described})(images) }
    })()`)
    await expect(dataset('{}')).rejects.toThrow(problem)
    const left = await dataset('{ skipBad: true }')
    expect(left).toMatchObject({
      notices: [expect.stringContaining(`left out ${problem}`)],
      images: { labels: [0, 0, 0, 1, 1, 2, 2, 2], files: expect.not.arrayContaining(['notes.txt']) },
    })
    expect((left as { progress: string[] }).progress.at(-1)).toBe('10 of 10')
    await expect(dataset('{ signal: AbortSignal.abort(new Error("enough")) }')).rejects.toThrow('enough')

    for (const name of ['1.png', '2.png']) cpSync(words.path, join(chosen, 'train/green', name))
    await tab.setInputFiles('#folder', join(chosen, 'train'))
    await expect(dataset('{ skipBad: true }')).rejects.toThrow(
      "class 'green' has no pictures left: 4 were left out that cannot be read: 'train/green/0.png'",
    )
  })

  test('pictures of any kind are a data set by class', async () => {
    const { ask } = await opened()
    const answer = await ask(`(async () => {
      const painted = colour => {
        const canvas = new OffscreenCanvas(20, 10)
        const context = canvas.getContext('2d')
        context.fillStyle = colour
        context.fillRect(0, 0, 20, 10)
        return canvas
      }
      const pictures = new Map([['red', [painted('#f00')]], ['blue', [painted('#00f'), new ImageData(4, 4)]]])
      const images = await browser.imageDataset(pictures, { size: [1, 1, 3], name: 'painted' })
      const pixels = new Uint8Array(9)
      images.read([0, 1, 2], pixels)
      return { name: images.name, labels: [...images.labels], pixels: [...pixels] }
    })()`)
    expect(answer).toEqual({ name: 'painted', labels: [0, 1, 1], pixels: [255, 0, 0, 0, 0, 255, 255, 255, 255] })
    await expect(
      ask("browser.imageDataset(new Map([['a', [new Blob(['words'])]]]), { size: [1, 1, 3] })"),
    ).rejects.toThrow("1 of 1 pictures that cannot be read: picture 1 of 'a' is damaged")
  })

  test('examples/page.html learns a folder, and tells what a photo shows', async () => {
    const { tab, errors } = await opened('examples/page.html')
    const colors = join(folder, 'colors')
    await colorFolder({ train: 12, val: 1 }, colors)
    await tab.setInputFiles('#folder', join(colors, 'train'))
    await tab.waitForSelector('#photo:enabled')
    expect(await tab.textContent('#said')).toContain('epoch 20: ')
    await tab.setInputFiles('#photo', join(colors, 'val/red/0.png'))
    await tab.waitForSelector('#said:text("probability")')
    const said: string = await tab.textContent('#said')
    expect(JSON.parse(said.trim().split('\n').at(-1) ?? '')[0][0]).toMatchObject({ label: 'red' })
    expect(errors).toEqual([])
  })
})
