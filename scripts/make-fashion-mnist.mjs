/**
 * @file Makes packages/fovea-cli/assets/fashion-mnist from the whole data set: the first 1,000 training and 200 test
 * images of each class, in the original order. Usage: `node scripts/make-fashion-mnist.mjs [FOLDER]`, with the four
 * original files in FOLDER; the default is where Debian's package `dataset-fashion-mnist` puts them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'

const PER_CLASS = { train: 1000, t10k: 200 }
const IMAGE_BYTES = 28 * 28

const source = process.argv[2] ?? '/usr/share/datasets/fashion-mnist'
const target = fileURLToPath(new URL('../packages/fovea-cli/assets/fashion-mnist', import.meta.url))
const name = (split, kind, rank) => `${split}-${kind}-idx${rank}-ubyte.gz`
const read = file => gunzipSync(readFileSync(join(source, file)))

mkdirSync(target, { recursive: true })
for (const [split, perClass] of Object.entries(PER_CLASS)) {
  const images = read(name(split, 'images', 3)).subarray(16)
  const labels = read(name(split, 'labels', 1)).subarray(8)
  const taken = new Array(10).fill(0)
  const chosen = [...labels.keys()].filter(i => taken[labels[i]]++ < perClass)
  const header = (...words) => {
    const bytes = Buffer.alloc(4 * words.length)
    words.forEach((word, i) => bytes.writeUInt32BE(word, 4 * i))
    return bytes
  }
  const write = (file, parts) => {
    const bytes = gzipSync(Buffer.concat(parts), { level: 9 })
    writeFileSync(join(target, file), bytes)
    console.log(`${file}: ${chosen.length} of ${labels.length}, ${bytes.length} bytes`)
  }
  const pixels = chosen.map(i => images.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES))
  write(name(split, 'images', 3), [header(0x803, chosen.length, 28, 28), ...pixels])
  write(name(split, 'labels', 1), [header(0x801, chosen.length), Buffer.from(chosen.map(i => labels[i]))])
}
