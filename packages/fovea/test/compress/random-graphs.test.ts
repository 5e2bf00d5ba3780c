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
import { noAxes } from '../../src/ops/axes.js'
import { batchNorm } from '../../src/ops/batch-norm.js'
import { broadcastTo } from '../../src/ops/broadcast-to.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { conv2d } from '../../src/ops/conv2d.js'
import { dropout } from '../../src/ops/dropout.js'
import { flatten } from '../../src/ops/flatten.js'
import { globalAveragePool } from '../../src/ops/global-average-pool.js'
import { ops } from '../../src/ops/index.js'
import { linear } from '../../src/ops/linear.js'
import { maxPool } from '../../src/ops/max-pool.js'
import { multiply } from '../../src/ops/multiply.js'
import { multiplyAdd } from '../../src/ops/multiply-add.js'
import { pad } from '../../src/ops/pad.js'
import { productSum } from '../../src/ops/product-sum.js'
import { reduceMax } from '../../src/ops/reduce-max.js'
import { reduceMean } from '../../src/ops/reduce-mean.js'
import { reduceSum } from '../../src/ops/reduce-sum.js'
import { reshape } from '../../src/ops/reshape.js'
import { slice } from '../../src/ops/slice.js'
import { softmax } from '../../src/ops/softmax.js'
import { stochasticDepth } from '../../src/ops/stochastic-depth.js'
import { normalAt, randomKey, streamOf } from '../../src/random.js'
import { aThird, logits, relativeError, zeroed } from './leave-out.js'

const SIZE = 5
const VARIANCE = 'variance'
const reductions = { reduceSum, reduceMean, reduceMax, productSum }
const start = { type: 'normal', mode: 'fanIn', gain: 1 } as const

interface Convolution {
  readonly filters: number
  readonly kernel: number
  readonly groups?: number
  readonly stride?: number
  readonly dilation?: number
  readonly bias?: boolean
}

/** Layers by name: each takes images and gives images, smaller ones where a stride says so. */
class Layers {
  readonly builder = new GraphBuilder()
  #count = 0

  image(): Value {
    return this.builder.input('image', [2, SIZE, SIZE, 3])
  }

  weight(...shape: number[]): Value {
    return this.builder.parameter(`weight${this.#count++}`, shape, start)
  }

  convolution(x: Value, { filters, kernel, groups = 1, stride = 1, dilation = 1, bias = false }: Convolution): Value {
    const p = (dilation * (kernel - 1)) / 2
    const attrs = { stride: [stride, stride], padding: [p, p, p, p], dilation: [dilation, dilation], groups } as const
    const weight = this.weight(filters, x.type.shape[3] / groups, kernel, kernel)
    return this.builder.emit(conv2d, [x, weight, ...(bias ? [this.weight(filters)] : [])], attrs)
  }

  norm(x: Value): Value {
    const perChannel = Array.from({ length: 3 }, () => this.weight(x.type.shape[3]))
    const variance = this.builder.parameter(`${VARIANCE}${this.#count++}`, [x.type.shape[3]], start)
    return this.builder.emit(batchNorm, [x, ...perChannel, variance], { epsilon: 1e-3, momentum: 0.1 })
  }

  /** x, scaled and shifted by channel. */
  scaled(x: Value): Value {
    return this.builder.emit(multiplyAdd, [x, this.weight(x.type.shape[3]), this.weight(x.type.shape[3])], {})
  }

  /** x, each number times what a reduction comes to. */
  gated(x: Value, by: keyof typeof reductions, over: readonly number[], wide: boolean): Value {
    const reduced = this.builder.emit(reductions[by], by === 'productSum' ? [x, x] : [x], {
      axes: over,
      keepDims: true,
    })
    const gate = this.builder.emit(activationOps.sigmoid, [reduced], {})
    const whole = wide ? this.builder.emit(broadcastTo, [gate], { shape: x.type.shape }) : gate
    return this.builder.emit(multiply, [x, whole], {})
  }

  /** What acts in training alone. */
  regularized(x: Value, by: typeof dropout | typeof stochasticDepth): Value {
    return this.builder.emit(by, [x], { rate: 0.5, stream: this.#count++ })
  }

  residual(x: Value, channels: number): Value {
    const inside = this.norm(this.convolution(x, { filters: channels, kernel: 3 }))
    return this.builder.emit(add, [this.convolution(inside, { filters: x.type.shape[3], kernel: 1 }), x], {})
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
  fc
    .record({
      ...{ filters: channels, kernel: fc.constantFrom(1, 3), bias: fc.boolean() },
      ...{ stride: fc.constantFrom(1, 1, 2), dilation: fc.constantFrom(1, 1, 2) },
    })
    .map(
      (options): Layer =>
        (layers, x) =>
          layers.convolution(x, options),
    ),
  // Groups of several channels, and depthwise ones, with one or two filters each.
  fc.record({ perGroup: fc.integer({ min: 1, max: 3 }), depthwise: fc.boolean() }).map(
    ({ perGroup, depthwise }): Layer =>
      (layers, x) => {
        const inputs = x.type.shape[3]
        const groups = depthwise ? inputs : inputs % 2 === 0 ? 2 : 1
        return layers.convolution(x, { filters: groups * perGroup, kernel: 3, groups, bias: perGroup === 2 })
      },
  ),
  fc.constant<Layer>((layers, x) => layers.norm(x)),
  fc.constant<Layer>((layers, x) => layers.scaled(x)),
  fc.constant<Layer>((layers, x) => layers.builder.emit(softmax, [x], {})),
  fc.constantFrom(dropout, stochasticDepth).map(
    (by): Layer =>
      (layers, x) =>
        layers.regularized(x, by),
  ),
  fc
    .record({
      by: fc.constantFrom(...(Object.keys(reductions) as (keyof typeof reductions)[])),
      // Over the pixels, over the channels, or over all.
      over: fc.constantFrom([1, 2], [3], [1, 2, 3]),
      wide: fc.boolean(),
    })
    .map(
      ({ by, over, wide }): Layer =>
        (layers, x) =>
          layers.gated(x, by, over, wide),
    ),
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

/** Positive where a norm takes it for a variance. */
const weightsOf = (graph: Graph): Weights =>
  new Map(
    stateNodes(graph).map(({ name, outputs }) => [
      name,
      Float32Array.from({ length: elements(outputs[0].shape) }, (_, i) => {
        const x = normalAt(randomKey(2, streamOf(name)), i)
        return name.startsWith(VARIANCE) ? Math.abs(x) : x
      }),
    ]),
  )

/** What has linked axes and yet is in no model that channels are taken from: only passes write it, or it computes with integers. */
const inNoModel = [
  ...['activationGradient', 'foldedWeights', 'cast'],
  ...[
    'quantize',
    'dequantize',
    'quantizedProduct',
    'foldZeroPoint',
    'fakeQuantize',
    'fakeQuantizeWeights',
    'extentByImage',
  ],
  ...['integerConv2d', 'integerAveragePool', 'integerAdd', 'integerMultiply'],
]

test('random graphs are made of all operators that say which of their axes are the same', () => {
  const drawn = new Set(fc.sample(graphs, { numRuns: 150, seed: 7 }).flatMap(({ nodes }) => nodes.map(({ op }) => op)))
  const linked = Object.entries(ops).flatMap(([name, { axes }]) => (axes === noAxes ? [] : [name]))
  expect(linked.filter(name => !drawn.has(name)).sort()).toEqual(inNoModel.sort())
})

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
