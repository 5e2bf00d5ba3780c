/**
 * @file Claims about `fovea export --format web`: in a real browser, from plain static files, the page says of a chosen, dropped or
 * pasted picture and of the camera what `fovea predict` says. Installs what it needs from npm; Chromium must be there.
 */
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium, install, isolation, launch, serveFolder } from './browser.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const page = join(folder, 'page')
const photo = (name: string): string => join(folder, 'photos', 'val', name, '0.png')
let server: Server
let address: string
// biome-ignore lint/suspicious/noExplicitAny: installed by the test
let browser: any

describe.skipIf(chromium === undefined)('a page in Chromium (apt-get install chromium)', () => {
  beforeAll(async () => {
    install(folder, 'onnxruntime-web', 'onnxruntime-node', 'playwright-core')
    const photos = await colorFolder({ train: 16, val: 2 }, join(folder, 'photos'))
    const trained = await fovea([
      'train',
      'resnet8',
      '--data',
      photos,
      '--epochs',
      '4',
      '--batch',
      '8',
      '--out',
      join(folder, 'run'),
    ])
    expect(trained.code, trained.stderr).toBe(0)
    const { code, stdout, stderr } = await fovea(
      ['export', join(folder, 'run'), '--format', 'web', '--out', page, '--data', photos],
      {
        cwd: folder,
      },
    )
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('6 of 6 images get the same class')
    ;({ server, address } = await serveFolder(page))
    browser = await launch(folder)
  })

  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  /** The page, opened at a width; errors in it fail the test. */
  async function opened(width: number, at = address) {
    const errors: string[] = []
    const context = await browser.newContext({ viewport: { width, height: 900 }, permissions: ['camera'] })
    const tab = await context.newPage()
    tab.on('pageerror', (error: Error) => errors.push(error.message))
    await tab.goto(at)
    await tab.waitForFunction(() =>
      (globalThis as { document?: { title: string } }).document?.title.startsWith('What does'),
    )
    return { tab, errors }
  }

  const rows = async (tab: {
    locator: (selector: string) => { allInnerTexts(): Promise<string[]> }
  }): Promise<string[]> => (await tab.locator('#labels li').allInnerTexts()).map(text => text.replace(/\s+/g, ' '))

  test.each([1280, 390])('names what is chosen, dropped and pasted, as predict does, at %d pixels', async width => {
    const { tab, errors } = await opened(width)
    const names = ['red', 'green', 'blue']
    const { json } = await fovea(['predict', join(folder, 'run'), ...names.map(photo), '--json'])
    const expected = json.map(({ predictions }) =>
      predictions.map(({ label, probability }: { label: string; probability: number }) => [label, 100 * probability]),
    )
    await tab.setInputFiles('#file', photo('red'))
    await tab.waitForSelector('#labels li')
    const seen = [await rows(tab)]
    for (const [i, way] of [
      [1, 'drop'],
      [2, 'paste'],
    ] as const) {
      const bytes = [...readFileSync(photo(names[i]))]
      await tab.evaluate(
        // In the page.
        `{
          const data = new DataTransfer()
          data.items.add(new File([new Uint8Array(${JSON.stringify(bytes)})], 'a.png', { type: 'image/png' }))
          const event = ${way === 'drop' ? `new DragEvent('drop', { dataTransfer: data, cancelable: true })` : `new ClipboardEvent('paste', { clipboardData: data })`}
          document.querySelector('#labels').replaceChildren()
          document.dispatchEvent(event)
        }`,
      )
      await tab.waitForSelector('#labels li')
      seen.push(await rows(tab))
    }
    for (const [i, shown] of seen.entries()) {
      const said = shown.map(row => /^(\w+) ([\d.]+) %$/.exec(row)?.slice(1) ?? [])
      expect(said.map(([label]) => label)).toEqual(expected[i].map(([label]: [string, number]) => label))
      for (const [j, [, percent]] of said.entries())
        expect(Math.abs(Number(percent) - expected[i][j][1])).toBeLessThan(0.2)
    }
    const overflow = await tab.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect({ overflow, errors }).toEqual({ overflow: 0, errors: [] })
    if (process.env['SCREENSHOTS'])
      await tab.screenshot({ path: join(process.env['SCREENSHOTS'], `page-${width}.png`) })
  })

  test('isolated by headers, the page runs on all cores, and says the same', async () => {
    const isolated = await serveFolder(page, isolation)
    try {
      const said: string[][] = []
      const workers: number[] = []
      for (const at of [address, isolated.address]) {
        const { tab, errors } = await opened(390, at)
        expect(await tab.evaluate('crossOriginIsolated')).toBe(at !== address)
        await tab.setInputFiles('#file', photo('red'))
        await tab.waitForSelector('#labels li')
        said.push(await rows(tab))
        workers.push(tab.workers().length)
        expect(errors).toEqual([])
      }
      const cores = await (await opened(390)).tab.evaluate('navigator.hardwareConcurrency')
      expect(workers).toEqual([0, cores - 1])
      expect(said[1]).toEqual(said[0])
    } finally {
      isolated.server.close()
    }
  })

  test('the camera is classified until it is stopped', async () => {
    const { tab, errors } = await opened(390)
    await tab.click('#camera')
    await tab.waitForSelector('#labels li')
    expect((await rows(tab)).length).toBe(3)
    if (process.env['SCREENSHOTS']) await tab.screenshot({ path: join(process.env['SCREENSHOTS'], 'camera.png') })
    await tab.click('#camera')
    expect(await tab.textContent('#camera')).toBe('Use the camera')
    expect(errors).toEqual([])
  })

  test('what is no picture is said to be none', async () => {
    const { tab } = await opened(390)
    await tab.setInputFiles('#file', join(page, 'model.json'))
    await tab.waitForFunction(() =>
      (globalThis as unknown as { drop: { textContent: string } }).drop.textContent.includes('cannot read'),
    )
  })
})
