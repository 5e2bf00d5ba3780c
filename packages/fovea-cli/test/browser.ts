/** @file Chromium, what is installed from npm for a test, and a server of static files, for tests of what is exported. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

/** Of the system: Debian's package `chromium`. */
export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(path => existsSync(path))

/** Packages of npm in a folder. */
export function install(folder: string, ...packages: string[]): void {
  execFileSync('npm', ['install', '--prefix', folder, '--no-save', ...packages], {
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    stdio: 'ignore',
  })
}

/** @param folder where playwright-core is installed */
// biome-ignore lint/suspicious/noExplicitAny: installed by the test
export const launch = (folder: string): Promise<any> =>
  createRequire(join(folder, 'here.js'))('playwright-core').chromium.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
  })

const types: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' },
  '.css': 'text/css',
}

/** With these headers a page may share memory with its workers. */
export const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** Serves the files of a folder, and nothing else, with these headers. @returns the server, and its address */
export async function serveFolder(
  root: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const file = join(root, path === '/' ? 'index.html' : path)
    if (!existsSync(file)) return void response.writeHead(404).end()
    const type = types[extname(file)] ?? 'application/octet-stream'
    response.writeHead(200, { 'Content-Type': type, ...headers }).end(readFileSync(file))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}
