/** @file A property: whatever a graph is made of, it gives the same without channels as with zeros in their place. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChannelGroups } from '../../src/compress/channel-groups.js'
import { keptState, withoutChannels } from '../../src/compress/remove-channels.js'
import { type Graph, stateNodes, type Value } from '../../src/graph/graph.js'
import { elements } from '../../src/graph/types.js'
import type { Weights } from '../../src/models/model.js'
import { activationOps, activations } from '../../src/ops/activation.js'
import { add } from '../../src/ops/add.js'
import { averagePool } from '../../src/ops/average-pool.js'
import { batchNorm } from '../../src/ops/batch-norm.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { conv2d } from '../../src/ops/conv2d.js'
import { flatten } from '../../src/ops/flatten.js'
import { globalAveragePool } from '../../src/ops/global-average-pool.js'
import { linear } from '../../src/ops/linear.js'
import { maxPool } from '../../src/ops/max-pool.js'
import { multiply } from '../../src/ops/multiply.js'
import { pad } from '../../src/ops/pad.js'
import { reshape } from '../../src/ops/reshape.js'
import { slice } from '../../src/ops/slice.js'
import { normalAt, randomKey, streamOf } from '../../src/random.js'
import { aThird, logits, relativeError, zeroed } from './leave-out.js'

const SIZE = 5
const start = { type: 'normal', mode: 'fanIn', gain: 1 } as const

/** Layers by name: each takes images and gives images of the same height and width. */
class Layers {
  readonly builder = new GraphBuilder()
  #count = 0

  image(): Value {
    return this.builder.input('image', [2, SIZE, SIZE, 3])
  }

  weight(...shape: number[]): Value {
    return this.builder.parameter(`weight${this.#count++}`, shape, start)
  }

  convolution(x: Value, filters: number, kernel: number, groups = 1): Value {
    const p = (kernel - 1) / 2
    const attrs = { stride: [1, 1], padding: [p, p, p, p], dilation: [1, 1], groups } as const
    return this.builder.emit(conv2d, [x, this.weight(filters, x.type.shape[3] / groups, kernel, kernel)], attrs)
  }

  norm(x: Value): Value {
    const perChannel = Array.from({ length: 4 }, () => this.weight(x.type.shape[3]))
    return this.builder.emit(batchNorm, [x, ...perChannel], { epsilon: 1e-3, momentum: 0.1 })
  }

  residual(x: Value, channels: number): Value {
    const inside = this.norm(this.convolution(x, channels, 3))
    return this.builder.emit(add, [this.convolution(inside, x.type.shape[3], 1), x], {})
  }

  squeezeExcite(x: Value, squeezed: number): Value {
    const [batch, , , channels] = x.type.shape
    const means = this.builder.emit(flatten, [this.builder.emit(globalAveragePool, [x], {})], {})
    const inside = this.builder.emit(linear, [means, this.weight(squeezed, channels), this.weight(squeezed)], {})
    const scales = this.builder.emit(linear, [inside, this.weight(channels, squeezed), this.weight(channels)], {})
    const gate = this.builder.emit(activationOps.sigmoid, [scales], {})
    return this.builder.emit(multiply, [x, this.builder.emit(reshape, [gate], { shape: [batch, 1, 1, channels] })], {})
  }

  wider(x: Value, added: number): Value {
    return this.builder.emit(pad, [x], { before: [0, 0, 0, 1], after: [0, 0, 0, added], value: 0 })
  }

  narrower(x: Value): Value {
    const whole = { start: [0, 0, 0, 1], stop: [-1, -1, -1, -1], step: [1, 1, 1, 1] }
    return x.type.shape[3] > 2 ? this.builder.emit(slice, [x], whole) : x
  }

  pooled(x: Value, kind: 'max' | 'average'): Value {
    const attrs = { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1] } as const
    return kind === 'max'
      ? this.builder.emit(maxPool, [x], attrs)
      : this.builder.emit(averagePool, [x], { ...attrs, countPadding: true })
  }
}

type Layer = (layers: Layers, x: Value) => Value

const channels = fc.integer({ min: 2, max: 6 })
const layer: fc.Arbitrary<Layer> = fc.oneof(
  fc.record({ filters: channels, kernel: fc.constantFrom(1, 3) }).map(
    ({ filters, kernel }): Layer =>
      (layers, x) =>
        layers.convolution(x, filters, kernel),
  ),
  // Groups of several channels, and depthwise ones, with one or two filters each.
  fc.record({ perGroup: fc.integer({ min: 1, max: 3 }), depthwise: fc.boolean() }).map(
    ({ perGroup, depthwise }): Layer =>
      (layers, x) => {
        const inputs = x.type.shape[3]
        const groups = depthwise ? inputs : inputs % 2 === 0 ? 2 : 1
        return layers.convolution(x, groups * perGroup, 3, groups)
      },
  ),
  fc.constant<Layer>((layers, x) => layers.norm(x)),
  fc.constantFrom(...(Object.keys(activations) as (keyof typeof activationOps)[])).map(
    (name): Layer =>
      (layers, x) =>
        layers.builder.emit(activationOps[name], [x], {}),
  ),
  channels.map(
    (inside): Layer =>
      (layers, x) =>
        layers.residual(x, inside),
  ),
  channels.map(
    (squeezed): Layer =>
      (layers, x) =>
        layers.squeezeExcite(x, squeezed),
  ),
  fc.integer({ min: 0, max: 3 }).map(
    (added): Layer =>
      (layers, x) =>
        layers.wider(x, added),
  ),
  fc.constant<Layer>((layers, x) => layers.narrower(x)),
  fc.constantFrom('max', 'average').map(
    (kind): Layer =>
      (layers, x) =>
        layers.pooled(x, kind as 'max' | 'average'),
  ),
)

const graphs: fc.Arbitrary<Graph> = fc
  .record({ list: fc.array(layer, { minLength: 1, maxLength: 8 }), flat: fc.boolean() })
  .map(({ list, flat }) => {
    const layers = new Layers()
    let x = layers.image()
    for (const add of list) x = add(layers, x)
    const features = layers.builder.emit(flatten, [flat ? x : layers.builder.emit(globalAveragePool, [x], {})], {})
    const weight = layers.weight(3, features.type.shape[1])
    layers.builder.output('logits', layers.builder.emit(linear, [features, weight, layers.weight(3)], {}))
    return layers.builder.build()
  })

/** Positive where a norm takes it for a variance; any other is as good positive. */
const weightsOf = (graph: Graph): Weights =>
  new Map(
    stateNodes(graph).map(({ name, outputs }) => [
      name,
      Float32Array.from({ length: elements(outputs[0].shape) }, (_, i) =>
        Math.abs(normalAt(randomKey(2, streamOf(name)), i)),
      ),
    ]),
  )

test('random graphs give the same without a third of their channels as with zeros in their place', async () => {
  let removed = 0
  await fc.assert(
    fc.asyncProperty(graphs, async graph => {
      const groups = new ChannelGroups(graph)
      const weights = weightsOf(graph)
      const out = aThird(groups)
      removed += out.size
      const expected = await logits(graph, zeroed(groups, weights, out))
      const actual = await logits(withoutChannels(groups, out), keptState(groups, weights, out))
      expect(relativeError(expected, actual)).toBeLessThan(1e-9)
    }),
    { numRuns: 150, seed: 7 },
  )
  expect(removed).toBeGreaterThan(150)
})
