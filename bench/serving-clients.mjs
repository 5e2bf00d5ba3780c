#!/usr/bin/env node
/**
 * @file The clients of serving.mjs: each asks for one photo after another, again as soon as it is answered. Prints how many were
 * answered a second, and how long half and 99 of 100 took, as JSON.
 * usage: node bench/serving-clients.mjs ADDRESS CLIENTS SECONDS PHOTO...
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'

const [address, clients, seconds, ...files] = process.argv.slice(2)
const photos = files.map(file => readFileSync(file))
const agent = new Agent({ keepAlive: true, maxSockets: Number(clients) })
const latencies = []
const start = performance.now()
const end = start + 1000 * Number(seconds)
let next = 0

async function client() {
  while (performance.now() < end) {
    const asked = performance.now()
    await ask(photos[next++ % photos.length])
    latencies.push(performance.now() - asked)
  }
}

const ask = photo =>
  new Promise((resolve, reject) => {
    const sent = request(`${address}/predict`, { method: 'POST', agent }, response => {
      response.resume()
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      )
    })
    sent.on('error', reject)
    sent.end(photo)
  })

await Promise.all(Array.from({ length: Number(clients) }, client))
agent.destroy()
const elapsed = performance.now() - start
latencies.sort((a, b) => a - b)
const at = part => latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))]
process.stdout.write(
  JSON.stringify({ imagesPerSecond: (1000 * latencies.length) / elapsed, p50: at(0.5), p99: at(0.99) }),
)
