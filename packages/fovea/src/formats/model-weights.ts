/** @file The weights of a model from the tensors of a file: all of them, each of its shape, in the model's type. */
import { FormatError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { formatShape, sameShape } from '../graph/types.js'
import type { Weights } from '../models/model.js'
import { few, typesOf } from './fit-weights.js'
import { expand } from './sparse.js'
import { numbersOf } from './stored-numbers.js'
import type { StoredTensor } from './weight-source.js'

/** @throws FormatError naming the tensors that are missing, or one that is of another shape or type */
export function weightsOf(graph: Graph, inFile: ReadonlyMap<string, StoredTensor>): Weights {
  const typed = typesOf(graph)
  const types = [...typed]
  const tensors = expand(inFile, typed)
  const missing = types.map(([name]) => name).filter(name => !tensors.has(name))
  if (missing.length > 0) {
    throw new FormatError(`it lacks ${few(missing)}`)
  }
  return new Map(
    types.map(([name, type]) => {
      const tensor = tensors.get(name)!
      if (!sameShape(tensor.shape, type.shape)) {
        throw new FormatError(`'${name}' is ${formatShape(tensor.shape)}, the model's is ${formatShape(type.shape)}`)
      }
      return [name, numbersOf(name, tensor, type)]
    }),
  )
}
