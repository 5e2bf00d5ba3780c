/** @file Files that say themselves which model they hold, told apart by their content: our own checkpoints, and ONNX. */
import { type Checkpoint, decodeCheckpoint, decodeOnnx, hasDescription, isOnnx } from 'fovea'
import { printable } from './printable.js'
import { writeStderr } from './stdout.js'

const say = (notice: string): void => writeStderr(`${printable(notice)}\n`)

/**
 * Whether a file says which model its weights are of.
 * @throws FormatError for what holds no weights
 */
export const isDescribed = (file: string, bytes: Uint8Array): boolean => isOnnx(bytes) || hasDescription(file, bytes)

/**
 * The model of such a file.
 * @param onNotice is told what an ONNX file does not say of its images, and is taken for granted. Default: it is said on stderr
 * @throws FormatError naming what is wrong with the file, or that it does not say what it holds
 */
export const decodeDescribed = (file: string, bytes: Uint8Array, onNotice = say): Checkpoint =>
  isOnnx(bytes) ? { model: decodeOnnx(file, bytes, { onNotice }) } : decodeCheckpoint(file, bytes)
