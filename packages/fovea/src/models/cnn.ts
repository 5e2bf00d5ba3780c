/**
 * @file The small network of the Keras tutorials: three 3×3 convolutions without padding (32, 64, 64 filters), each
 * with ReLU and followed by 2×2 max pooling, then two fully connected layers. Weights start as Keras starts them.
 */
import type { Value } from '../graph/graph.js'
import { conv2d } from '../nn/conv2d.js'
import { linear } from '../nn/linear.js'
import type { Scope } from '../nn/scope.js'
import { activationOps } from '../ops/activation.js'
import { flatten } from '../ops/flatten.js'
import { maxPool } from '../ops/max-pool.js'
import { buildModel, type ModelOptions, modelOptions } from './build.js'
import type { Model } from './model.js'

/** Glorot and Bengio 2010, uniform: Keras's default. */
const glorot = (fanIn: number, fanOut: number) => ({ type: 'uniform', bound: Math.sqrt(6 / (fanIn + fanOut)) }) as const

/** conv 32 – pool – conv 64 – pool – conv 64 – pool – dense 512 – dense classes. Defaults: 32×32×3, 10 classes. */
export function cnn(options: ModelOptions = {}): Model {
  const settings = modelOptions.parse(options, '')
  return buildModel('cnn', settings, { classes: 10, input: [32, 32, 3] }, (scope, image, classes) => {
    const { builder } = scope
    const relu = (x: Value, name: string) => builder.emit(activationOps.relu, [x], {}, name)
    const dense = (part: Scope, x: Value, features: number) =>
      linear(part, x, { features, initializer: glorot(x.type.shape[1], features) })
    let x = image
    for (const [i, filters] of [32, 64, 64].entries()) {
      const initializer = glorot(9 * x.type.shape[3], 9 * filters)
      x = conv2d(scope.at(`conv${i + 1}`), x, { filters, kernel: 3, padding: 0, bias: true, initializer })
      const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const
      x = builder.emit(maxPool, [relu(x, `relu${i + 1}`)], window, `pool${i + 1}`)
    }
    x = builder.emit(flatten, [x], {}, 'flatten')
    return dense(scope.at('fc2'), relu(dense(scope.at('fc1'), x, 512), 'relu4'), classes)
  })
}
