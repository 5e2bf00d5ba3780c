/**
 * @file Claims about the engine in a page, in real Chromium: it computes what it computes in Node, on threads of its own where the
 * page is cross-origin isolated, else on the page's. Installs playwright-core from npm; Chromium must be there, and dist/ be built.
 */
import { execFileSync } from 'node:child_process'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fovea from 'fovea'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium, install, isolation, launch, serveFolder } from '../../fovea-cli/test/browser.js'
import { temporaryFolder } from '../../fovea-cli/test/run-fovea.js'
import { loadWasmEngine, type WasmOptions } from '../src/index.js'
import { type Computed, compute, type Extent } from './page/compute.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = temporaryFolder()
const servers: Server[] = []
// biome-ignore lint/suspicious/noExplicitAny: installed by the test
let browser: any

describe.skipIf(chromium === undefined)('a page in Chromium (apt-get install chromium)', () => {
  beforeAll(async () => {
    install(folder, 'playwright-core')
    execFileSync(process.execPath, [join(root, 'scripts/bundle-page.mjs')])
    browser = await launch(folder)
  })

  afterAll(async () => {
    await browser?.close()
    for (const server of servers) server.close()
  })

  /** The page, ready; `ask` evaluates what its script offers. */
  async function opened(headers: Readonly<Record<string, string>>, file = 'index.html') {
    const { server, address } = await serveFolder(root, headers)
    servers.push(server)
    const tab = await (await browser.newContext()).newPage()
    await tab.goto(`${address}packages/fovea-wasm/test/page/${file}`)
    await tab.waitForFunction('globalThis.computed !== undefined')
    const ask = (expression: string): Promise<unknown> => tab.evaluate(expression)
    return { tab, ask }
  }

  const inPage = async ({ ask }: Awaited<ReturnType<typeof opened>>, options: WasmOptions, how: Extent = {}) =>
    (await ask(`computed(${JSON.stringify(options)}, ${JSON.stringify(how)})`)) as Computed
  const inNode = async (options: WasmOptions, how?: Extent) => compute(fovea, await loadWasmEngine(options), how)
  const results = ({ losses, probabilities, bits }: Computed) => ({ losses, probabilities, bits })

  test('isolated by headers, it has threads, and computes what it does in Node, to the last bit', async () => {
    const page = await opened(isolation)
    expect(await page.ask('crossOriginIsolated')).toBe(true)
    for (const threads of [1, 2]) {
      const options = { threads, simd: 'plain' } as const
      expect(results(await inPage(page, options))).toEqual(results(await inNode(options)))
    }
    const addresses: readonly string[] = page.tab.workers().map((worker: { url(): string }) => worker.url())
    expect(addresses).toEqual(Array(3).fill(expect.stringMatching(/^blob:/)))
    for (const address of addresses)
      await expect(page.ask(`fetch('${address}')`), 'a worker that runs needs its text no more').rejects.toThrow(
        'fetch',
      )
    const cores = await page.ask('navigator.hardwareConcurrency')
    expect((await inPage(page, {})).description).toBe(`wasm (relaxed SIMD, ${cores} thread${cores === 1 ? '' : 's'})`)
  })

  test('else it has one thread, the page itself, and computes the same', async () => {
    const page = await opened({})
    expect(await page.ask('crossOriginIsolated')).toBe(false)
    const own = await inPage(page, { simd: 'plain' })
    expect(own.description).toBe('wasm (SIMD, 1 thread)')
    expect(results(own)).toEqual(results(await inNode({ threads: 1, simd: 'plain' })))
    expect(page.tab.workers().length).toBe(0)
    await expect(inPage(page, { threads: 2 })).rejects.toThrow(
      'threads: 2 need a page that is cross-origin isolated (the headers Cross-Origin-Opener-Policy: same-origin',
    )
  })

  test('while a page trains on its own thread, it does what else there is to do', async () => {
    const page = await opened({})
    const ticks = await page.ask(`(async () => {
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      await computed({ simd: 'plain' }, { batches: 8, batchSize: 16 })
      clearInterval(timer)
      return ticks
    })()`)
    expect(ticks).toBeGreaterThan(8)
  })

  test('it is what a page takes by default, and what asks for it at once is told how', async () => {
    const page = await opened({})
    await expect(page.ask('wasmEngine()')).rejects.toThrow('a page loads its files first: use `await loadWasmEngine()`')
    expect(await page.ask('byDefault()')).toBe('wasm (relaxed SIMD, 1 thread)')
  })

  test('library and engine in one file compute the same, with an import map as all that a page needs', async () => {
    const page = await opened({}, 'built.html')
    expect(results(await inPage(page, { simd: 'plain' }))).toEqual(results(await inNode({ threads: 1, simd: 'plain' })))
    expect(await page.ask('byDefault()')).toBe('wasm (relaxed SIMD, 1 thread)')
  })

  test('a page without an import map, as bundlers make them, is told to pass the engine', async () => {
    const { server, address } = await serveFolder(root)
    servers.push(server)
    const tab = await (await browser.newContext()).newPage()
    const warnings: string[] = []
    tab.on('console', (message: { type(): string; text(): string }) => {
      if (message.type() === 'warning') warnings.push(message.text())
    })
    await tab.goto(`${address}packages/fovea-wasm/dist/fovea.js`)
    const description = await tab.evaluate(`import('/packages/fovea-wasm/dist/fovea.js').then(async fovea =>
      (await fovea.defaultEngine()).description)`)
    expect(description).toMatch(/^plain TypeScript.*\(no WebAssembly: /)
    expect(warnings).toEqual([
      expect.stringMatching(
        /^fovea: running on the slow reference engine, because .*'fovea-wasm'.*: pass `engine: await loadWasmEngine\(\)` from 'fovea-wasm'$/,
      ),
    ])
  })

  test('a page that allows what the README names may keep the strictest policy otherwise', async () => {
    const policy = (more: string) => ({
      'Content-Security-Policy': `default-src 'none'; connect-src 'self'; script-src 'self' 'unsafe-inline' ${more}`,
      ...isolation,
    })
    const page = await opened(policy("'wasm-unsafe-eval'; worker-src blob:"), 'built.html')
    const options = { threads: 2, simd: 'plain' } as const
    expect(results(await inPage(page, options))).toEqual(results(await inNode(options)))
    await expect(inPage(await opened(policy('; worker-src blob:'), 'built.html'), options)).rejects.toThrow(
      /fovea\.wasm' cannot be used: .*Content Security Policy/,
    )
    const workers = await opened(policy("'wasm-unsafe-eval'; worker-src 'none'"), 'built.html')
    await expect(inPage(workers, options)).rejects.toThrow('worker')
  })

  test.runIf(process.env['MEASURE'])('beside Node, measured in turns (MEASURE=1 prints the times)', async () => {
    const page = await opened(isolation)
    const [ours, nodes]: number[][] = [[], []]
    for (let i = 0; i < 7; i++) {
      const how = { batches: 4, batchSize: 64 }
      ours.push((await inPage(page, { threads: 1, simd: 'plain' }, how)).msPerEpoch)
      nodes.push((await inNode({ threads: 1, simd: 'plain' }, how)).msPerEpoch)
    }
    console.log({ chromium: ours, node: nodes })
  })
})
