/**
 * @file A project as one file: the pictures with their labels, and the model if there is one. It is a safetensors file whose tensors
 * are the bytes of files: JPEG pictures, and the model as Fovea saves it.
 */
import { decodeCheckpoint, decodeSafetensors, encodeCheckpoint, encodeSafetensors, type Model } from 'fovea'

export interface Project {
  readonly pictures: readonly LabelledPicture[]
  readonly model: Model | undefined
}

export interface LabelledPicture {
  readonly label: string
  readonly image: Blob
}

const VERSION = 1
const MODEL = 'model.safetensors'
const pictureName = (index: number): string => `pictures/${index}.jpg`

export async function encodeProject({ pictures, model }: Project): Promise<Blob> {
  const files: [string, Uint8Array][] = []
  for (const [i, { image }] of pictures.entries())
    files.push([pictureName(i), new Uint8Array(await image.arrayBuffer())])
  if (model) files.push([MODEL, await bytesOf(encodeCheckpoint({ model }))])
  const tensors = new Map(
    files.map(([name, bytes]) => [name, { dtype: 'uint8' as const, shape: [bytes.length], bytes }]),
  )
  const project = JSON.stringify({ version: VERSION, labels: pictures.map(({ label }) => label) })
  return blobOf(encodeSafetensors({ tensors, metadata: { project } }))
}

/** @throws FormatError or Error for what is no project */
export function decodeProject(name: string, file: Uint8Array): Project {
  const { tensors, metadata } = decodeSafetensors(name, file)
  const { version, labels } = described(metadata['project'])
  if (version !== VERSION || !isTexts(labels))
    throw new Error(`'${name}' is no project of this page: choose a file that it saved`)
  const bytesAt = (part: string): Uint8Array | undefined => tensors.get(part)?.bytes
  const pictures = labels.map((label, i) => {
    const bytes = bytesAt(pictureName(i))
    if (bytes === undefined) throw new Error(`'${name}' lacks picture ${i + 1} of ${labels.length}`)
    return { label, image: new Blob([bytes.slice()], { type: 'image/jpeg' }) }
  })
  const model = bytesAt(MODEL)
  return { pictures, model: model && decodeCheckpoint(`${MODEL} in ${name}`, model.slice()).model }
}

/** What a project says of itself; nothing for another file. */
function described(json = '{}'): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(json))
  } catch {
    return {}
  }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string')

/** A file of chunks. */
export const blobOf = (chunks: readonly Uint8Array[]): Blob => new Blob(chunks as Uint8Array<ArrayBuffer>[])

const bytesOf = async (chunks: readonly Uint8Array[]): Promise<Uint8Array> =>
  new Uint8Array(await blobOf(chunks).arrayBuffer())
