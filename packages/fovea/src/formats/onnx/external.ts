/**
 * @file Tensors of an ONNX file whose numbers lie in a file beside it, as exporters write models of more than 2 GB, and some all.
 * Where they lie is a claim: only files of the same folder are asked for, and only what is in them is read.
 */
import { FormatError } from '../../errors.js'
import type { ReadBeside } from '../model-source.js'
import { isPlainName } from '../sharded.js'
import { shownName } from '../weight-source.js'
import type { Message } from './messages.js'

type Tensor = Message<'TensorProto'>

export class ExternalData {
  readonly #files = new Map<string, Uint8Array>()

  /** @param beside reads a file of the folder by its plain name; without it there are none */
  constructor(readonly beside: ReadBeside | undefined) {}

  /** Of the files that have been read. */
  get bytes(): number {
    return [...this.#files.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /**
   * The tensor with its numbers, wherever they lie.
   * @throws FormatError naming the tensor, if its numbers are not where it says
   */
  whole(tensor: Tensor, name: string): Tensor {
    if (this.beside === undefined || (tensor.dataLocation !== 1 && tensor.externalData.length === 0)) return tensor
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]))
    const what = `tensor '${shownName(name)}'`
    const place = entries.get('location') ?? ''
    if (!isPlainName(place)) {
      throw new FormatError(`${what} lies in '${shownName(place)}', which is no file in the same folder`)
    }
    const file = this.#files.get(place) ?? this.beside(place, 'refused')
    this.#files.set(place, file)
    const number = (key: string, otherwise: number): number => {
      const text = entries.get(key)
      if (text === undefined) return otherwise
      if (!/^\d{1,15}$/.test(text))
        throw new FormatError(`${what} has the ${key} '${shownName(text)}', which is no number`)
      return Number(text)
    }
    const offset = number('offset', 0)
    const length = number('length', file.length - offset)
    if (offset + length > file.length || length < 0) {
      throw new FormatError(
        `${what} lies at ${offset} to ${offset + length} of '${place}', which has ${file.length} bytes`,
      )
    }
    const rawData = file.subarray(offset, offset + length)
    return { ...tensor, dataLocation: 0, externalData: [], rawData }
  }
}
