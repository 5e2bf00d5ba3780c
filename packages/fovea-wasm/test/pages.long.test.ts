/**
 * @file Claims about the pages of examples/browser, built by vite, in real Chromium: they train, show what came of it, keep it in
 * files, work without a network and on a phone's screen. Installs playwright-core from npm; Chromium must be there, and dist/ be built.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createModel,
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
  encodeOnnx,
  encodeSafetensors,
} from 'fovea'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium, install, isolation, launch, serveFolder } from '../../fovea-cli/test/browser.js'
import { colorFolder, temporaryFolder } from '../../fovea-cli/test/run-fovea.js'

const folder = temporaryFolder()
const pages = join(folder, 'pages')
const photos = join(folder, 'photos')
const servers: Server[] = []
// biome-ignore lint/suspicious/noExplicitAny: installed by the test
let browser: any

describe.skipIf(chromium === undefined)('the example pages in Chromium (apt-get install chromium)', () => {
  beforeAll(async () => {
    install(folder, 'playwright-core')
    await colorFolder({ train: 12, val: 2 }, photos)
    const config = fileURLToPath(new URL('../../../examples/browser/vite.config.ts', import.meta.url))
    await build({ configFile: config, logLevel: 'warn', build: { outDir: pages } })
    browser = await launch(folder)
  })

  afterAll(async () => {
    await browser?.close()
    for (const server of servers) server.close()
  })

  /** A page, ready to train; errors in it, and what it sends anywhere, fail the test by `proper`. */
  async function opened(name: string, { width = 1280, headers = isolation as Readonly<Record<string, string>> } = {}) {
    const { server, address } = await serveFolder(pages, headers)
    servers.push(server)
    const viewport = { width, height: 900 }
    const context = await browser.newContext({ viewport, permissions: ['camera'], acceptDownloads: true })
    context.setDefaultTimeout(0)
    const tab = await context.newPage()
    const improper: string[] = []
    tab.on('pageerror', (error: Error) => improper.push(error.message))
    context.on('request', (request: { method(): string; url(): string }) => {
      if (request.method() === 'GET' && request.url().startsWith(address)) return
      if (!request.url().startsWith('blob:')) improper.push(`${request.method()} ${request.url()}`)
    })
    await tab.goto(address + name)
    await tab.waitForSelector('#train:enabled')
    const proper = async () => {
      const overflow = await tab.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect({ overflow, improper, problem: await tab.textContent('#problem') }).toEqual({
        ...{ overflow: 0, improper: [], problem: '' },
      })
      const shots = process.env['SCREENSHOTS']
      if (shots) await tab.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true })
    }
    const trained = async (): Promise<number> => {
      await tab.click('#train')
      await tab.waitForSelector('#stop:enabled')
      await tab.waitForSelector('#train:enabled')
      expect(await tab.textContent('#problem')).toBe('')
      return Number.parseFloat(await tab.textContent('#accuracy'))
    }
    /** Bytes that a button downloads. */
    const downloaded = async (id: string): Promise<Uint8Array> => {
      const [download] = await Promise.all([tab.waitForEvent('download'), tab.click(id)])
      return readFileSync(await download.path())
    }
    return { tab, context, server, proper, trained, downloaded }
  }

  /** Drops a folder of this machine onto the page, as a hand would. */
  async function drop({ tab, context }: Awaited<ReturnType<typeof opened>>, path: string): Promise<void> {
    const session = await context.newCDPSession(tab)
    const { x, y } = await (await tab.$('#drop')).boundingBox()
    for (const type of ['dragEnter', 'dragOver', 'drop']) {
      const data = { items: [], files: [path], dragOperationsMask: 1 }
      await session.send('Input.dispatchDragEvent', { type, x: x + 20, y: y + 20, data })
    }
  }

  const classNames = '.class header span:first-child'

  test.each([
    { width: 1280, headers: isolation, engine: /^wasm \(relaxed SIMD, \d+ threads?\)$/ },
    { width: 390, headers: {}, engine: /^wasm \(relaxed SIMD, 1 thread\)$/ },
  ])('clothes are learned with curves, at $width pixels, $engine', async ({ width, headers, engine }) => {
    const page = await opened('clothes.html', { width, headers })
    const { tab } = page
    expect(await tab.textContent('#engine')).toMatch(engine)
    expect(await page.trained()).toBeGreaterThan(65)
    expect(await tab.locator('#curves polyline').count()).toBe(4)
    expect(await tab.locator('#results tr').count()).toBe(11)
    expect(await tab.locator('#results .pictures img').count()).toBe(12)
    await page.proper()
  })

  test('a training that is stopped shows what it came to', async () => {
    const { tab } = await opened('clothes.html', { headers: {} })
    await tab.selectOption('#images', '10000')
    await tab.click('#train')
    await tab.waitForSelector('#curves circle')
    await tab.click('#stop')
    await tab.waitForSelector('#accuracy')
    expect(await tab.textContent('#state')).toMatch(/^training: epoch 1 of 3,/)
  })

  test('a page that was opened once opens without a network, and trains', async () => {
    const page = await opened('clothes.html')
    page.server.close()
    page.server.closeAllConnections()
    await page.tab.reload()
    await page.tab.waitForSelector('#train:enabled')
    expect(await page.trained()).toBeGreaterThan(65)
  })

  test.each([
    { width: 1280, headers: isolation },
    { width: 390, headers: {} },
  ])('a dropped folder is learned, kept in a file and opened again, at $width pixels', async at => {
    const page = await opened('classes.html', at)
    const { tab } = page
    await drop(page, join(photos, 'train'))
    await tab.waitForSelector(':nth-match(.class header span:text-is("12"), 3)')
    expect((await tab.locator(classNames).allInnerTexts()).sort()).toEqual(['blue', 'green', 'red'])
    expect(await page.trained()).toBeGreaterThan(95)
    const said = async (of: Pick<typeof page, 'tab'>): Promise<string[]> => {
      await of.tab.setInputFiles('#try', join(photos, 'val/red/0.png'))
      await of.tab.waitForSelector('#labels li')
      return of.tab.locator('#labels li').allInnerTexts()
    }
    const first = await said(page)
    expect(first[0]).toMatch(/^red/)
    await page.proper()

    const project = join(folder, `${at.width}.fovea`)
    writeFileSync(project, await page.downloaded('#save'))
    const other = await opened('classes.html', at)
    await other.tab.setInputFiles('#open', project)
    await other.tab.waitForSelector('#use:not([hidden])')
    expect(await other.tab.locator('.class header span:last-child').allInnerTexts()).toEqual(['12', '12', '12'])
    expect(await said(other)).toEqual(first)
    expect(await other.trained()).toBeGreaterThan(95)
    const points = (): Promise<number> => other.tab.evaluate("document.querySelector('polyline.train').points.length")
    const drawn = await points()
    expect(await other.trained()).toBeGreaterThan(95)
    expect(await points(), 'of the second training alone').toBe(drawn)

    const saved = decodeCheckpoint('model.safetensors', await page.downloaded('#safetensors')).model
    expect(saved.labels.toSorted()).toEqual(['blue', 'green', 'red'])
    // export.test compares such files with the model.
    expect(Buffer.from(await page.downloaded('#onnx'))).toEqual(
      Buffer.concat(encodeOnnx(saved, { preprocessing: true })),
    )
  })

  test('the camera gives pictures of a class, and is classified', async () => {
    const page = await opened('classes.html', { width: 390 })
    const { tab } = page
    await drop(page, join(photos, 'train'))
    await tab.waitForSelector(':nth-match(.class header span:text-is("12"), 3)')
    await tab.fill('#name', 'camera')
    await tab.click('#new')
    const card = '.class:has(header span:text-is("camera"))'
    await tab.click(`${card} button:text-is("Camera")`)
    await tab.waitForSelector(`${card} header span:text-matches("^[1-9][0-9]$")`)
    await tab.click(`${card} button:text-is("Stop")`)
    expect(await page.trained()).toBeGreaterThan(90)
    await tab.click('#watch')
    await tab.waitForSelector('#labels li:first-child span:text-is("camera")')
    await page.proper()
    await tab.click('#watch')
    expect(await tab.isVisible('#video')).toBe(false)
  })

  test('what is switched off or removed before it began stays so', async () => {
    const page = await opened('classes.html')
    const { tab } = page
    await tab.fill('#name', 'one')
    await tab.click('#new')
    await tab.evaluate(`{
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
      globalThis.streams = []
      const allowed = new Promise(resolve => (globalThis.allow = resolve))
      navigator.mediaDevices.getUserMedia = async what => {
        await allowed
        streams.push(await ask(what))
        return streams.at(-1)
      }
    }`)
    await tab.click('.class button:text-is("Camera")')
    await tab.click('.class button:text-is("Stop")')
    await tab.evaluate('allow()')
    const tracks = () => tab.evaluate('streams.flatMap(stream => stream.getTracks()).map(track => track.readyState)')
    await expect.poll(tracks, { timeout: 10_000 }).toEqual(['ended'])
    expect(await tab.isVisible('#video')).toBe(false)

    const buffer = readFileSync(join(photos, 'val/red/0.png'))
    const files = Array.from({ length: 200 }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer }))
    await tab.setInputFiles('.class input[type=file]', files)
    await tab.click('.class button:text-is("Remove")')
    // It shows once all of them are decoded.
    await tab.waitForSelector('#keep:not([hidden])')
    const { tensors } = decodeSafetensors('pictures.fovea', await page.downloaded('#save'))
    expect(tensors.size).toBe(0)
    await page.proper()
  })

  test('from a trained model, its head is trained on features computed once, then its last stage', async () => {
    const page = await opened('classes.html')
    const { tab } = page
    const backbone = join(folder, 'backbone.safetensors')
    writeFileSync(
      backbone,
      Buffer.concat(encodeCheckpoint({ model: createModel('resnet8', { input: [32, 32, 3], seed: 1 }) })),
    )
    await tab.setInputFiles('#backbone', backbone)
    await tab.waitForSelector('#start:text-is("Starts from resnet8")')
    await drop(page, join(photos, 'train'))
    await tab.waitForSelector(':nth-match(.class header span:text-is("12"), 3)')
    await tab.selectOption('#epochs', '10')
    await tab.evaluate(`{
      globalThis.phases = new Set()
      new MutationObserver(() => phases.add(state.textContent.split(':')[0])).observe(state, { childList: true })
    }`)
    expect(await page.trained()).toBeGreaterThan(60)
    expect(await tab.evaluate('[...phases]')).toEqual(['the head', 'the last stage'])
    await page.proper()
  })

  test('what cannot be done is said in a line', async () => {
    const page = await opened('classes.html', { width: 390 })
    const { tab } = page
    await tab.setViewportSize({ width: 390, height: 300 })
    await tab.click('#train')
    await tab.waitForSelector('#problem:text("give pictures of two classes or more")')
    const top = 'document.querySelector("#problem").getBoundingClientRect().top'
    expect(await tab.evaluate(top), 'in sight').toBeGreaterThanOrEqual(0)
    await tab.setInputFiles('#open', join(photos, 'val/red/0.png'))
    await tab.waitForSelector(`#problem:text("'0.png' cannot be read as a safetensors file")`)
    for (const project of ['null', '{']) {
      const buffer = Buffer.concat(encodeSafetensors({ tensors: new Map(), metadata: { project } }))
      await tab.setInputFiles('#open', { name: `${project}.fovea`, mimeType: '', buffer })
      await tab.waitForSelector(`#problem:text("'${project}.fovea' is no project of this page")`)
    }
    const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('words') }
    await tab.fill('#name', 'words')
    await tab.click('#new')
    await tab.setInputFiles('.class input[type=file]', text)
    await tab.waitForSelector('#problem:text("words: 1 of 1 are no pictures that this browser reads: notes.txt")')
  })
})
