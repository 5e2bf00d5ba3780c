/**
 * @file What a file of a model gives: weights by name, for a model that something else names; a graph with its weights; or both. And what
 * a format is that is read so.
 */
import type { Checkpoint } from '../train/training-state.js'
import type { WeightSource } from './weight-source.js'

/** A file that says itself which model it holds. */
export interface GraphSource {
  /** The format, as messages call it: `an ONNX file`. */
  readonly format: string
  /**
   * The model, and how far its training has come where the file says so.
   * @param onNotice is told what the file does not say, and is taken for granted: a sentence for people. Default: nobody is
   * @throws FormatError naming the file, and what is wrong with it
   */
  readonly read: (onNotice?: (sentence: string) => void) => Checkpoint
}

/** Weights alone (PyTorch, Keras), a graph that is read with its weights (ONNX), or both (what Fovea saves). */
export type ModelSource =
  | { readonly weights: WeightSource; readonly graph?: undefined }
  | { readonly weights?: undefined; readonly graph: GraphSource }
  | { readonly weights: WeightSource; readonly graph: GraphSource }

/** A format that models are read from. */
export interface ModelFormat {
  /** Whether a file is of this format, by its content. */
  readonly matches: (file: Uint8Array) => boolean
  /**
   * @param name the file's, for messages
   * @param beside reads another file of the same folder
   * @throws FormatError naming the file, and what is wrong with it
   */
  readonly open: (name: string, file: Uint8Array, beside: ReadBeside) => ModelSource
}

/**
 * The bytes of a file beside another, by its plain name.
 * @param links whether the file may be a link, which leads anywhere: one whose bytes become numbers as they are may not
 * @throws FoveaError if it cannot be read
 */
export type ReadBeside = (name: string, links: 'followed' | 'refused') => Uint8Array
