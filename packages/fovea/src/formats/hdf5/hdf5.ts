/**
 * @file HDF5 files, as h5py writes them: a tree of groups whose leaves are tensors. Written for files that nobody vouches for: each part
 * is read once, within the file, and links to elsewhere are refused. Knows nothing of Keras.
 */
import { FormatError } from '../../errors.js'
import { type StoredTensor, shownName } from '../weight-source.js'
import { readTexts } from './attributes.js'
import { type Cursor, Hdf5Bytes } from './bytes.js'
import { readDataset } from './dataset.js'
import { readLinks } from './group.js'
import { readObjectHeader } from './object-header.js'

/** A group or a dataset. */
export interface Hdf5Object {
  /** From the root: `/conv1/kernel`. */
  readonly path: string
  /** Attributes that are texts, or lists of texts. */
  readonly texts: () => ReadonlyMap<string, readonly string[]>
  /** What a group holds, by name; undefined of a dataset. */
  readonly children: ReadonlyMap<string, Hdf5Object> | undefined
  /** A dataset's numbers. @throws FormatError for numbers that are not read, or no dataset */
  readonly tensor: () => StoredTensor
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
const MAX_DEPTH = 50

/** Whether a file begins as HDF5 does. */
export const isHdf5 = (file: Uint8Array): boolean => SIGNATURE.every((byte, i) => file[i] === byte)

/** The root of a file's tree. @throws FormatError for a file that is damaged, or has what is not read */
export function openHdf5(file: Uint8Array): Hdf5Object {
  const bytes = new Hdf5Bytes(file)
  return openObject(bytes, readSuperblock(bytes), '', 0)
}

/** @returns where the root group's header is */
function readSuperblock(bytes: Hdf5Bytes): number {
  const block = bytes.at(0, 'its superblock').skip(SIGNATURE.length)
  const version = block.version(0, 1, 2, 3)
  const isOld = version < 2
  if (isOld) block.skip(4)
  bytes.addressSize = widthOf(block)
  bytes.lengthSize = widthOf(block)
  block.skip(isOld ? 1 + 2 + 2 + 4 + (version === 1 ? 4 : 0) : 1)
  if (block.address() !== 0) block.fail('begins after a block of a user, which is not read')
  block.skip(bytes.addressSize)
  const end = block.uint(bytes.addressSize)
  const { length } = bytes.file
  if (end > length) throw new FormatError(`it was cut short: it should have ${end} bytes, it has ${length}`)
  // The driver's block, and the name's offset.
  if (isOld) block.skip(2 * bytes.addressSize)
  return block.address()
}

function widthOf(block: Cursor): number {
  const width = block.u8()
  return width === 4 || width === 8 ? width : block.fail(`has addresses or lengths of ${width} bytes`)
}

function openObject(bytes: Hdf5Bytes, address: number, path: string, depth: number): Hdf5Object {
  if (depth > MAX_DEPTH) throw new FormatError(`it is more than ${MAX_DEPTH} groups deep`)
  const header = at(path, () => readObjectHeader(bytes, address))
  const links = at(path, () => readLinks(bytes, header))
  return {
    path,
    texts: () => at(path, () => readTexts(bytes, header)),
    children:
      links &&
      new Map([...links].map(([name, child]) => [name, openObject(bytes, child, `${path}/${name}`, depth + 1)])),
    tensor: () => at(path, () => readDataset(bytes, header, path)),
  }
}

/** What goes wrong says where in the tree. */
function at<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`'${shownName(path || '/')}': ${error.message}`) : error
  }
}
