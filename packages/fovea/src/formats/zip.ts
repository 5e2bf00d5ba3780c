/** @file Zip files whose entries are not compressed, as PyTorch and Keras write them. */
import { type UnzipFileInfo, unzipSync } from 'fflate'
import { FormatError } from '../errors.js'
import { shownName } from './weight-source.js'

/** Far more than a model has tensors. */
const MAX_ENTRIES = 50_000

/**
 * The entries of a zip file. Neither PyTorch nor Keras compresses any, and a reader that takes only such ones can be given no file that
 * becomes larger than it is.
 * @param unlike who does not compress entries, and what to do
 * @param check refuses an entry by its name
 * @throws FormatError for a damaged file, and for what the two refuse
 */
export function zipEntries(
  file: Uint8Array,
  unlike: string,
  check: (name: string) => void = () => {},
): ReadonlyMap<string, Uint8Array> {
  const sizes = new Map<string, number>()
  let total = 0
  const filter = ({ name, size, originalSize, compression }: UnzipFileInfo): boolean => {
    check(name)
    if (compression !== 0 || size !== originalSize) {
      throw new FormatError(`its entry '${shownName(name)}' is compressed, which ${unlike}`)
    }
    total += size
    if (total > file.length) throw new FormatError(`its entries claim ${total} bytes, the file has ${file.length}`)
    if (sizes.has(name)) throw new FormatError(`its entry '${shownName(name)}' is there twice`)
    sizes.set(name, size)
    if (sizes.size > MAX_ENTRIES) throw new FormatError(`it has more than ${MAX_ENTRIES} entries`)
    return true
  }
  let unzipped: Readonly<Record<string, Uint8Array>>
  try {
    unzipped = unzipSync(file, { filter })
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw new FormatError(
      `its list of entries, with which a zip file ends, is missing or damaged: it was cut short after ${file.length} bytes, or is no zip file`,
    )
  }
  const entries = new Map(Object.entries(unzipped))
  for (const [name, size] of sizes) {
    if (entries.get(name)?.length !== size)
      throw new FormatError(`its entry '${shownName(name)}' should have ${size} bytes`)
  }
  return entries
}
