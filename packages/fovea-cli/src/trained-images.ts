/**
 * @file Which images a model was trained on: a hash of the pixels of each, kept beside the models of a run. By it an
 * evaluation tells new images from those that the model knows, wherever they lie now and whatever was added to them.
 *
 * Hashed are the pixels that the model is fed, in its size, before any augmentation: so an image is known under any name, from
 * a folder, a packed file or a built-in data set, and saved in another format that loses nothing. It is not known when it was
 * cropped or compressed anew, nor when another release of the decoder makes other pixels of it. A model has one size, and what
 * is trained from it has the same, so hashes of other sizes are never compared.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Dataset, decodeSafetensors, encodeSafetensors, FormatError } from 'fovea'
import { runFiles } from './checkpoint-file.js'
import { HASH_BYTES, imageHashes, joinHashes, splitHashes } from './data/image-hash.js'
import { type FileLimit, readWhole, writeFileAtomic } from './files.js'
import { folderAround } from './run-folder.js'

type Hashes = ReadonlySet<string>

interface KnownImages {
  /** Those that the run trained on. */
  readonly own: Hashes
  /** Those that the model knew which it started from. */
  readonly before: Hashes
}

/** What is known of it; what is undefined, nothing tells. */
export interface TrainedImages {
  /** Of the data set that the run trained on. */
  readonly fingerprint?: string
  readonly hashes?: KnownImages
}

const LIMIT: FileLimit = { what: 'a list of the images that a run trained on', maxBytes: 1 << 30 }

/**
 * Keeps in a run's folder which images it trains on.
 * @param start what is known of the model that it starts from
 */
export const writeTrainedImages = (folder: string, train: Dataset, start: TrainedImages = {}): Promise<void> =>
  write(folder, { own: new Set(imageHashes(train)), before: knownBefore(start) })

/** Keeps beside a model that was made of another, without training, which images that one knew; nothing, if nothing tells. */
export async function carryTrainedImages(folder: string, start: TrainedImages): Promise<void> {
  if (start.hashes) await write(folder, { own: new Set(), before: knownBefore(start) })
}

const knownBefore = ({ hashes }: TrainedImages): Hashes => new Set([...(hashes?.own ?? []), ...(hashes?.before ?? [])])

async function write(folder: string, { own, before }: KnownImages): Promise<void> {
  const tensors = new Map(Object.entries({ own: tensorOf(own), before: tensorOf(before) }))
  await writeFileAtomic(join(folder, runFiles.trainedImages), encodeSafetensors({ tensors, metadata: {} }))
}

const tensorOf = (hashes: Hashes) => ({
  ...{ dtype: 'uint8' as const, shape: [hashes.size, HASH_BYTES] },
  bytes: joinHashes(hashes),
})

/**
 * Which images a saved model was trained on, as the run tells in whose folder it lies.
 * @param path a model's file, or the folder of a run
 * @throws FormatError if what tells is damaged
 */
export function readTrainedImages(path: string): TrainedImages {
  const folder = folderAround(path)
  if (folder === undefined) return {}
  const fingerprint = folder.ownRecord()?.data.train.fingerprint
  const file = folder.file(runFiles.trainedImages)
  return {
    ...(fingerprint !== undefined && { fingerprint }),
    ...(existsSync(file) && { hashes: readHashes(file) }), // Runs of before kept none.
  }
}

function readHashes(file: string): KnownImages {
  const { tensors } = decodeSafetensors(file, readWhole(file, LIMIT))
  const hashesOf = (name: keyof KnownImages): Hashes => {
    const tensor = tensors.get(name)
    if (tensor?.dtype !== 'uint8' || tensor.shape.length !== 2 || tensor.shape[1] !== HASH_BYTES) {
      throw new FormatError(`'${file}' is damaged: it does not hold hashes of images; remove it to do without`)
    }
    return new Set(splitHashes(tensor.bytes))
  }
  return { own: hashesOf('own'), before: hashesOf('before') }
}
