/** @file Claims about `fovea serve` as a process: it answers many at once, and when it is told to end loses none of them. */
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createModel } from 'fovea'
import { beforeAll, expect, test } from 'vitest'
import { saveModel } from '../src/index.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const folder = temporaryFolder()
const model = join(folder, 'colors.safetensors')
let photo: Buffer

beforeAll(async () => {
  const labels = ['blue', 'green', 'red']
  await saveModel(model, createModel('resnet8', { input: [24, 24, 3], labels }))
  photo = readFileSync(join(await colorFolder({ train: 1, val: 0 }), 'train', 'red', '0.png'))
})

/** Serves while `use` asks; then ends the server with SIGTERM. */
async function serving(args: readonly string[], use: (address: string, child: ChildProcess) => Promise<void>) {
  let used: Promise<void> = Promise.resolve()
  let printed = ''
  const result = await fovea(['serve', ...args, '--port', '0', '--json'], {
    started: child =>
      child.stdout?.on('data', chunk => {
        const known = printed.includes('\n')
        printed += chunk
        if (known || !printed.includes('\n')) return
        used = use(JSON.parse(printed.split('\n')[0]).address, child).finally(
          () => child.killed || child.kill('SIGTERM'),
        )
      }),
  })
  await used
  return result
}

interface Answer {
  readonly predictions: readonly unknown[]
}

const ask = (address: string, body: Buffer): Promise<Response> => fetch(`${address}/predict`, { method: 'POST', body })

test('many requests at once are answered, in batches; the address is the first line', async () => {
  const { code, json, stderr } = await serving([model, `second=${model}`], async address => {
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const responses = await Promise.all(Array.from({ length: 40 }, () => ask(address, photo)))
    const answers = await Promise.all(responses.map(response => response.json()))
    for (const answer of answers) expect(answer).toEqual(answers[0])
    const metrics = await (await fetch(`${address}/metrics`)).text()
    const [, batches] = /fovea_batch_images_count{model="colors"} (\d+)/.exec(metrics) ?? []
    expect(Number(batches)).toBeLessThan(40)
    expect(metrics).toContain('fovea_batch_images_sum{model="colors"} 40')
  })
  expect(stderr).not.toContain('fovea:')
  expect(code).toBe(0)
  expect(json).toEqual([
    { address: expect.any(String), models: ['colors', 'second'] },
    { notice: 'answering what has come, then ending (Ctrl-C again ends at once)' },
  ])
})

test('told to end, it answers all that it has taken, and takes no more', async () => {
  const { code } = await serving([model], async (address, child) => {
    const halves = [photo.subarray(0, 40), photo.subarray(40)]
    let isEnding: () => void = () => {}
    const ending = new Promise<void>(resolve => {
      isEnding = resolve
    })
    const asked = Array.from({ length: 12 }, () => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(new Uint8Array(halves[0]))
          await ending
          controller.enqueue(new Uint8Array(halves[1]))
          controller.close()
        },
      })
      return fetch(`${address}/predict`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    })
    // The question is one more.
    while (!(await (await fetch(`${address}/metrics`)).text()).includes('fovea_requests_in_flight 13'));
    child.stdout?.on('data', chunk => {
      if (String(chunk).includes('notice')) isEnding()
    })
    child.kill('SIGTERM')
    await ending
    await expect(fetch(`${address}/v2`)).rejects.toThrow('fetch failed')
    for (const response of await Promise.all(asked)) {
      expect(response.status).toBe(200)
      expect(((await response.json()) as Answer).predictions.length).toBe(3)
    }
  })
  expect(code).toBe(0)
})

test('told to end, it does not wait for ever for clients that never finish', async () => {
  const sockets: Socket[] = []
  const { code } = await serving([model, '--timeout', '1'], async (address, child) => {
    const { port } = new URL(address)
    for (const start of ['POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc', 'POST /predict HT']) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => {})
      sockets.push(socket)
      await new Promise<unknown>(resolve => socket.write(start, resolve))
    }
    // Both have arrived when this, which came later, is answered.
    while (!(await (await fetch(`${address}/metrics`)).text()).includes('fovea_requests_in_flight 2'));
    child.kill('SIGTERM')
  })
  for (const socket of sockets) socket.destroy()
  expect(code).toBe(0)
})

test('a client that leaves costs the others nothing, and is no error', async () => {
  const { code, json } = await serving([model], async address => {
    const leaving = new AbortController()
    const left = fetch(`${address}/predict`, { method: 'POST', body: photo, signal: leaving.signal })
    const others = Array.from({ length: 8 }, () => ask(address, photo))
    leaving.abort()
    await expect(left).rejects.toThrow()
    for (const response of await Promise.all(others)) expect(response.status).toBe(200)
  })
  expect({ code, lines: json.length }).toEqual({ code: 0, lines: 2 })
})

test.each([
  [['none.safetensors'], 1, /none\.safetensors.*no such file/],
  [[model, model], 2, /two models are called 'colors'; give one another name: NAME=/],
  [[model, '--port', '70000'], 2, /--port takes a whole number from 0 to 65,535, not '70000'/],
  [
    [model, '--host', '203.0.113.7', '--port', '0'],
    1,
    /this machine has no address 203\.0\.113\.7; --host 0\.0\.0\.0 is all of them/,
  ],
])('fovea serve %j says what is wrong', async (args, code, reason) => {
  const result = await fovea(['serve', ...args])
  expect(result.stderr).toMatch(reason)
  expect(result.code).toBe(code)
})

test('a port that is taken is refused with what to do', async () => {
  await serving([model], async address => {
    const port = new URL(address).port
    const { code, stderr } = await fovea(['serve', model, '--port', port])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `fovea: port ${port} is in use; choose another with --port, or --port 0 for a free one\n`,
    })
  })
})
