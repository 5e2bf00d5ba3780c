/** @file The IDX format of MNIST and its successors: http://yann.lecun.com/exdb/mnist, optionally gzipped. */
import { gunzipSync } from 'node:zlib'
import { FormatError } from 'fovea'

export interface IdxArray {
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

/**
 * Parses unsigned bytes in IDX format.
 * @param name the file's, for messages
 * @param rank how many dimensions it must have
 * @param maxBytes the most that its content may take, checked before it is unpacked
 * @throws FormatError if it is anything else
 */
export function parseIdx(name: string, file: Uint8Array, rank: number, maxBytes = 1 << 28): IdxArray {
  const fail = (why: string): never => {
    throw new FormatError(`'${name}' is not an IDX file of ${rank} dimensions: ${why}`)
  }
  const headerBytes = 4 + 4 * rank
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? gunzip(file, headerBytes + maxBytes, fail) : file
  if (bytes.length < headerBytes) fail(`it has only ${bytes.length} bytes`)
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes)
  const magic = header.getUint32(0)
  if (magic !== 0x0800 + rank) fail(`it begins with ${hex(magic)}, not ${hex(0x0800 + rank)}`)
  const shape = Array.from({ length: rank }, (_, i) => header.getUint32(4 + 4 * i))
  const size = shape.reduce((product, n) => product * n, 1)
  const data = bytes.subarray(headerBytes)
  if (data.length !== size) fail(`${shape.join('×')} need ${size} bytes, it has ${data.length}`)
  return { shape, data }
}

const hex = (n: number): string => `0x${n.toString(16).padStart(8, '0')}`

function gunzip(file: Uint8Array, maxOutputLength: number, fail: (why: string) => never): Uint8Array {
  try {
    return gunzipSync(file, { maxOutputLength })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}
