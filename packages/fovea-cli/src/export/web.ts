/** @file A folder for any web server: a page that classifies pictures by the model, which runs in the page. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeOnnx, FoveaError } from 'fovea'
import { defaultResizing } from 'fovea/engine'
import { writeFileAtomic } from '../files.js'
import type { ExportFormat } from './formats.js'
import { checkedAgreement, describeAgreement, precisionOf } from './onnx.js'
import { findPackage } from './runtime.js'

const PACKAGE = 'onnxruntime-web'
/** What a page needs of it, in its folder `dist`. */
const RUNTIME_FILES = ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm']
/** Of the page. */
const PAGE_FILES = ['index.html', 'classify.js']
/** Of the page too, and the library's: they make pixels of a picture. */
const LIBRARY_FILES = ['seen-pixels.js', 'resize.js']

/** What the page is made of, by name; it comes last, as whoever opens it needs the rest. */
function pageFiles(): (readonly [name: string, text: string])[] {
  const assets = fileURLToPath(new URL('../../assets/web/', import.meta.url))
  const library = dirname(createRequire(import.meta.url).resolve('fovea/browser'))
  const read = (folder: string) => (name: string) => [name, withoutMap(join(folder, name))] as const
  return [...LIBRARY_FILES.map(read(library)), ...PAGE_FILES.toReversed().map(read(assets))]
}

/** The text of a file. Where the compiler's map of it lies is left out: the folder has none. */
const withoutMap = (path: string): string => readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '')

export const web: ExportFormat = {
  about: 'a page that classifies dropped, pasted and camera pictures in the browser; --out is a folder of static files',
  takes: ['precision', 'data'],
  files: out =>
    [...PAGE_FILES, ...LIBRARY_FILES, 'model.onnx', 'model.json', ...RUNTIME_FILES.map(name => `ort/${name}`)].map(
      name => join(out, name),
    ),
  write: async request => {
    const { model, out } = request
    const runtime = runtimeFolder()
    const precision = precisionOf(request)
    const file = Buffer.concat(encodeOnnx(model, { precision, preprocessing: true }))
    const agreement = await checkedAgreement(request, { file, precision, preprocessing: true })
    const { name, labels, preprocessing } = model
    const files = new Map<string, Uint8Array | string>([
      ...RUNTIME_FILES.map(name => [`ort/${name}`, readFileSync(join(runtime, name))] as const),
      ['model.onnx', file],
      [
        'model.json',
        `${JSON.stringify({ name, labels, size: preprocessing.size, resizing: preprocessing.resizing ?? defaultResizing })}\n`,
      ],
      ...pageFiles(),
    ])
    let bytes = 0
    for (const [path, content] of files) {
      await writeFileAtomic(join(out, path), content)
      bytes += Buffer.byteLength(content)
    }
    const checked = agreement ? `, ${describeAgreement(agreement, { ...request, preprocessing: true })}` : ''
    return { bytes, said: `${precision}${checked}; open it through a web server`, about: { precision, agreement } }
  },
}

/** @throws FoveaError if ONNX Runtime for browsers is not installed */
function runtimeFolder(): string {
  const entry = findPackage(`${PACKAGE}/wasm`)
  if (entry !== undefined) return dirname(entry)
  throw new FoveaError(`a page needs ONNX Runtime for browsers, which is not installed here: npm install ${PACKAGE}`)
}
