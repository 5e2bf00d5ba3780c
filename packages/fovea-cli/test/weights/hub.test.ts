/** @file Claims about models from Hugging Face's hub, against a local server that speaks its protocol. */
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createModel, encodeWeights } from 'fovea'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hubFolder } from '../../src/weights/hub.js'
import { hubRepository } from '../../src/weights/hub-cache.js'
import { colorFolder, fovea, temporaryFolder } from '../run-fovea.js'

const commit = 'c0ffee'.repeat(6).concat('c0de')
const weights = Buffer.concat(encodeWeights(createModel('resnet8', { classes: 3, seed: 3 })))
const config = Buffer.from(JSON.stringify({ architecture: 'resnet8', pretrained_cfg: { input_size: [3, 24, 24] } }))
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const gitSha1 = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')

type Answer = (request: IncomingMessage, response: ServerResponse) => void
interface Seen {
  readonly method: string
  readonly url: string
  readonly range?: string | undefined
  readonly authorization?: string | undefined
}

const listen = (answer: Answer): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer(answer)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

let files: Record<string, Buffer>
/** Large files are not the hub's own: it leads to this server. */
let store: Server
let hub: Server
let seen: Seen[]
/** How many bytes the store sends before it breaks the connection; once for each number. */
let cuts: number[]
let breakOff: (() => void) | undefined
/** The file whose content is not what the hub says it is. */
let damaged: string | undefined
let token: string | undefined
let cache: string
const before = { ...process.env }

/** What is sent of a file. */
function contentOf(name: string): Buffer {
  const bytes = Buffer.from(files[name])
  if (name === damaged) bytes[bytes.length - 1] ^= 1
  return bytes
}

const note = ({ method = '', url = '', headers }: IncomingMessage): number =>
  seen.push({ method, url, range: headers.range, authorization: headers.authorization })

beforeEach(async () => {
  files = { 'model.safetensors': weights, 'config.json': config }
  seen = []
  cuts = []
  damaged = undefined
  token = undefined
  store = await listen((request, response) => {
    note(request)
    const bytes = contentOf((request.url ?? '').slice(1))
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start, ...range })
    const cut = cuts.shift()
    if (cut === undefined) return response.end(bytes.subarray(start))
    if (cut === 0) return response.destroy()
    // Once it has arrived: what is under way is lost with a connection.
    breakOff = () => void response.destroy()
    return response.write(bytes.subarray(start, start + cut))
  })
  hub = await listen((request, response) => {
    note(request)
    const [, owner, name, , revision, file] = (request.url ?? '').split('/')
    const refuse = (status: number, code: string) => response.writeHead(status, { 'x-error-code': code }).end()
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return refuse(401, 'GatedRepo')
    if (name === 'old') return response.writeHead(307, { location: `/new/model/resolve/${revision}/${file}` }).end()
    if (`${owner}/${name}` !== 'new/model') return refuse(404, 'RepoNotFound')
    if (!['main', 'v1.0', commit].includes(revision)) return refuse(404, 'RevisionNotFound')
    const bytes = files[file]
    if (bytes === undefined) return refuse(404, 'EntryNotFound')
    const common = { 'x-repo-commit': commit }
    if (file.endsWith('.json')) {
      response.writeHead(200, { ...common, etag: `"${gitSha1(bytes)}"`, 'content-length': bytes.length })
      return response.end(request.method === 'HEAD' ? undefined : contentOf(file))
    }
    const linked = { 'x-linked-etag': `"${sha256(bytes)}"`, 'x-linked-size': bytes.length, etag: '"of the redirect"' }
    return response.writeHead(302, { ...common, ...linked, location: `${addressOf(store)}/${file}` }).end()
  })
  cache = temporaryFolder()
  Object.assign(process.env, { HF_ENDPOINT: addressOf(hub), HF_HUB_CACHE: cache })
  delete process.env['HF_TOKEN']
  delete process.env['HF_HUB_OFFLINE']
})

afterEach(() => {
  for (const server of [hub, store]) {
    server.closeAllConnections()
    server.close()
  }
  for (const name of ['HF_ENDPOINT', 'HF_HUB_CACHE', 'HF_TOKEN', 'HF_HUB_OFFLINE']) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const warnings: string[] = []
const fetched = (text = 'hf://new/model') =>
  hubFolder(text, {
    warn: text => warnings.push(text),
    onProgress() {
      breakOff?.()
      breakOff = undefined
    },
  })

test("a model is kept as Python's libraries keep it, and a second time nothing is downloaded", async () => {
  const folder = await fetched()
  const top = join(cache, 'models--new--model')
  expect(folder).toBe(join(top, 'snapshots', commit))
  expect(readFileSync(join(top, 'refs', 'main'), 'utf8')).toBe(commit)
  expect(readdirSync(join(top, 'blobs')).sort()).toEqual([gitSha1(config), sha256(weights)].sort())
  expect(readlinkSync(join(folder, 'model.safetensors'))).toBe(join('..', '..', 'blobs', sha256(weights)))
  expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
  expect(readFileSync(join(folder, 'config.json')).equals(config)).toBe(true)
  expect(existsSync(join(top, '.no_exist', commit, 'preprocessor_config.json'))).toBe(true)
  const heads = seen.filter(({ method }) => method === 'HEAD').map(({ url }) => url.split('/').at(-1))
  expect(heads).toEqual(['model.safetensors', 'config.json', 'preprocessor_config.json'])
  seen = []
  expect(await fetched()).toBe(folder)
  expect(seen.map(({ method, url }) => [method, url])).toEqual([['HEAD', '/new/model/resolve/main/model.safetensors']])
  seen = []
  expect(await fetched(`hf://new/model@${commit}`)).toBe(folder)
  expect(seen).toEqual([])
})

test('what is here is used where the hub has had too many requests', async () => {
  const folder = await fetched()
  hub.removeAllListeners('request')
  hub.on('request', (_, response) => response.writeHead(429).end())
  warnings.length = 0
  expect(await fetched()).toBe(folder)
  expect(warnings).toEqual([
    expect.stringMatching(/answered 429 .*; what was downloaded of 'hf:\/\/new\/model' before is used/),
  ])
})

test('a download that is cut goes on where it stopped', async () => {
  cuts = [1000, 500]
  const folder = await fetched()
  expect(
    seen.filter(({ url, method }) => url === '/model.safetensors' && method === 'GET').map(({ range }) => range),
  ).toEqual([undefined, 'bytes=1000-', 'bytes=1500-'])
  expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
})

test('what is cut again and again is kept for the next time', async () => {
  cuts = [1000, 0, 0]
  await expect(fetched()).rejects.toThrow(/The 1000 of \d+ bytes that came are kept/)
  await fetched()
  expect(seen.findLast(({ url }) => url === '/model.safetensors')?.range).toBe('bytes=1000-')
})

test.each([
  ['model.safetensors', 'its SHA-256 is'],
  ['config.json', "its git's SHA-1 is"],
])('a %s that is another than the hub says is refused and removed', async (name, message) => {
  damaged = name
  const expected = new RegExp(`is not http.*/${name}: ${message} [0-9a-f]+, expected [0-9a-f]+. It was deleted`)
  await expect(fetched()).rejects.toThrow(expected)
  const top = join(cache, 'models--new--model')
  expect(existsSync(join(top, 'snapshots', commit, name))).toBe(false)
  expect(existsSync(join(top, 'refs'))).toBe(false)
  damaged = undefined
  expect(existsSync(join(await fetched(), name))).toBe(true)
})

test('a token goes to the hub, and to no other server', async () => {
  token = 'secret'
  await expect(fetched()).rejects.toThrow(
    `${addressOf(hub)} does not give 'hf://new/model' (401): there is none, or it needs a token in HF_TOKEN`,
  )
  process.env['HF_TOKEN'] = 'secret'
  seen = []
  await fetched()
  const toStore = seen.filter(({ url }) => url === '/model.safetensors')
  expect(toStore.length).toBeGreaterThan(0)
  expect(toStore.map(({ authorization }) => authorization)).toEqual([undefined])
})

test.each([
  ['hf://new/none', "has no 'hf://new/none': is the name right?"],
  ['hf://new/model@none', "has no 'hf://new/model@none'"],
])('%s is said not to be there', async (text, message) => {
  await expect(fetched(text)).rejects.toThrow(message)
})

test('a repository without weights is refused, and one that was renamed is found', async () => {
  const folder = await fetched('hf://someone/old@v1.0')
  expect(existsSync(join(folder, 'model.safetensors'))).toBe(true)
  files = { 'config.json': config, 'flax_model.msgpack': config }
  await expect(fetched()).rejects.toThrow(
    "'hf://new/model' has none of model.safetensors, model.safetensors.index.json",
  )
})

test('weights in several files come with all of them', async () => {
  const map = { a: 'model-1.safetensors', b: 'model-2.safetensors' }
  files = {
    'model.safetensors.index.json': Buffer.from(JSON.stringify({ weight_map: map })),
    'model-1.safetensors': weights,
    'model-2.safetensors': weights.subarray(0, 100),
  }
  const folder = await fetched()
  expect(readdirSync(folder).sort()).toEqual([
    'model-1.safetensors',
    'model-2.safetensors',
    'model.safetensors.index.json',
  ])
  files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ weight_map: { a: '../../../x' } }))
  process.env['HF_HUB_CACHE'] = temporaryFolder()
  await expect(fetched()).rejects.toThrow("'a' is in '../../../x', which is no file in the same folder")
})

describe('without a connection', () => {
  test('what is there is used, and it is said', async () => {
    const folder = await fetched()
    hub.closeAllConnections()
    await new Promise(resolve => hub.close(resolve))
    warnings.length = 0
    expect(await fetched()).toBe(folder)
    expect(warnings.join()).toMatch(/cannot reach .*; what was downloaded of 'hf:\/\/new\/model' before is used/)
    await expect(fetched('hf://new/other')).rejects.toThrow(
      /cannot reach http:\/\/127.0.0.1:\d+ for 'hf:\/\/new\/other'/,
    )
  })

  test('HF_HUB_OFFLINE asks nobody', async () => {
    process.env['HF_HUB_OFFLINE'] = '1'
    await expect(fetched()).rejects.toThrow('HF_HUB_OFFLINE allows no download: run it once without')
    expect(seen).toEqual([])
    delete process.env['HF_HUB_OFFLINE']
    const folder = await fetched()
    process.env['HF_HUB_OFFLINE'] = '1'
    seen = []
    expect([await fetched(), seen]).toEqual([folder, []])
    // A download that was stopped is no model.
    const half = join(cache, 'models--new--half', 'snapshots', commit)
    mkdirSync(half, { recursive: true })
    writeFileSync(join(half, 'config.json'), config)
    await expect(fetched(`hf://new/half@${commit}`)).rejects.toThrow('HF_HUB_OFFLINE')
  })
})

test.each(['hf://resnet50', 'hf://a/b/c', 'hf://../x', 'hf://a/..', 'hf://a/b@../../x', 'hf://a/b@c@d', 'hf://a/b?x'])(
  '%s names no repository',
  text => {
    expect(() => hubRepository(text)).toThrow('a model of the hub is hf://OWNER/NAME or hf://OWNER/NAME@REVISION')
  },
)

test('commands take it wherever they take a file, and say its name, no folder of this machine', async () => {
  const out = join(temporaryFolder(), 'model.safetensors')
  const env = { HF_ENDPOINT: addressOf(hub), HF_HUB_CACHE: cache }
  const { code, stderr } = await fovea(['import', 'hf://new/model', '--out', out, '--json'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const explained = await fovea(['train', '--from', 'hf://new/model', '--explain', '--json'], { env })
  expect(explained.json[0]?.model, explained.stderr).toBe('resnet8')
  const summary = await fovea(['summary', 'hf://new/model', '--json'], { env })
  expect(summary.json[0]?.model, summary.stderr).toBe('resnet8')
  expect(summary.stderr).toMatch(
    new RegExp(`^hf://new/model@${commit}/model\\.safetensors: a safetensors file with `, 'm'),
  )
})

test('the record of a run names its commit, not a folder of this machine; and the run goes on by it', async () => {
  const env = { HF_ENDPOINT: addressOf(hub), HF_HUB_CACHE: cache }
  const folder = temporaryFolder()
  const data = await colorFolder({ train: 8, val: 2 })
  const [out, name] = [join(folder, 'run'), `hf://new/model@${commit}`]
  const model = ['--from', 'hf://new/model', '--distill', 'hf://new/model']
  // As the photos' classes are called.
  const id2label = { 0: 'blue', 1: 'green', 2: 'red' }
  files['config.json'] = Buffer.from(JSON.stringify({ ...JSON.parse(config.toString()), id2label }))
  const train = ['train', ...model, '--data', data, '--epochs', '2', '--batch', '8', '--out', out, '--json']
  const when = { at: '"epoch":1', act: (child: ChildProcess) => child.kill('SIGKILL') }
  const { signal, stderr } = await fovea(train, { env, when })
  expect(signal, stderr).toBe('SIGKILL')
  const { request } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))
  expect(request).toMatchObject({ from: name, distill: name })
  const more = await fovea(['train', '--resume', out], { env: { ...env, HF_HUB_OFFLINE: '1' } })
  expect(more.code, more.stderr).toBe(0)
})
