/** @file Claims about whose weights a model can take: every name of every library's state_dict is one of ours, and back. */
import { describe, expect, test } from 'vitest'
import { normalizations } from '../../src/data/normalization.js'
import { fitWeights, typesOf } from '../../src/formats/fit-weights.js'
import { importWeights } from '../../src/formats/import-weights.js'
import { openWeights } from '../../src/formats/registry.js'
import { namingsOf, theirNames } from '../../src/formats/weight-names.js'
import type { StoredTensor } from '../../src/formats/weight-source.js'
import type { Graph } from '../../src/graph/graph.js'
import { elements } from '../../src/graph/types.js'
import { createModel, modelNames } from '../../src/models/registry.js'
import { type Shapes, stateDicts } from './state-dicts.js'
import { floats, TestTensor, torchZip } from './torch-file.js'

/** Tensors that have a name and a shape, and no numbers. */
const tensorsOf = (shapes: Shapes, prefix = ''): Map<string, StoredTensor> =>
  new Map(
    [...shapes].map(([name, shape]) => {
      const dtype = name.endsWith('num_batches_tracked') ? ('int64' as const) : ('float32' as const)
      return [prefix + name, { dtype, shape, bytes: new Uint8Array(0) }]
    }),
  )

describe.each(stateDicts)("%s of %s's names", (name, library, shapes) => {
  const model = createModel(name)
  const types = typesOf(model.graph)
  const weights = [...shapes.keys()].filter(key => !key.endsWith('num_batches_tracked'))

  test('every tensor is one of ours, of the same shape, and all of ours are there', () => {
    for (const prefix of ['', 'module.', 'model._orig_mod.module.']) {
      const { tensors } = fitWeights(tensorsOf(shapes, prefix), model)
      expect(tensors.size).toBe(weights.length)
      for (const [ours, { shape }] of types) expect(tensors.get(ours)?.shape, ours).toEqual(shape)
    }
  })

  test('ours become exactly theirs', () => {
    const naming = namingsOf(name).find(({ name }) => name === library)!
    const theirs = [...theirNames([...types.keys()], naming).values()]
    expect(theirs.sort()).toEqual(weights.sort())
  })
})

test('every model that another library has is tried here', () => {
  const tried = new Set(stateDicts.map(([name]) => name))
  expect(modelNames.filter(name => !tried.has(name))).toEqual(['resnet8', 'speednet', 'cnn'])
})

describe('names that do not fit', () => {
  const model = createModel('resnet20')
  const dict = stateDicts.find(([name]) => name === 'resnet20')![2]
  const fit = (tensors: ReadonlyMap<string, StoredTensor>) => () => fitWeights(tensors, model)

  test('the names that were expected, and those that there are, are said', () => {
    const other = new Map([...tensorsOf(dict)].map(([name, tensor]) => [`encoder.${name}`, tensor]))
    expect(fit(other)).toThrow(
      'expected conv1.weight, bn1.weight, bn1.bias and 94 more, it has encoder.conv1.weight, encoder.bn1.weight, encoder.bn1.bias and 94 more',
    )
    expect(fit(new Map())).toThrow('it has no weights')
  })

  test('a tensor that is missing, and one too many', () => {
    const tensors = tensorsOf(dict)
    tensors.delete('layer3.2.bn2.bias')
    expect(fit(tensors)).toThrow('it lacks layer3.2.bn2.bias')
    expect(fit(new Map([...tensorsOf(dict), ...tensorsOf(new Map([['head.weight', [3]]]))]))).toThrow(
      'it has head.weight, which resnet20 does not have',
    )
  })

  test('the model is offered whose names these are', () => {
    const deeper = tensorsOf(stateDicts.find(([name]) => name === 'resnet32')![2])
    expect(fit(deeper)).toThrow('which resnet20 does not have; its names are those of resnet32')
  })
})

describe('importWeights', () => {
  /** A state_dict with numbers. */
  const dictOf = (shapes: Shapes) =>
    new Map(
      [...shapes].map(([key, shape], seed) => [
        key,
        floats(
          shape,
          Array.from({ length: elements(shape) }, (_, i) => seed + i / 7),
        ),
      ]),
    )
  const shapes = new Map(stateDicts.find(([name]) => name === 'resnet20')![2])
  shapes.set('linear.weight', [3, 64]).set('linear.bias', [3])
  const file = torchZip(dictOf(shapes))

  test('a model has the classes of its file, and the numbers under our names', () => {
    const { model, format, names, notes } = importWeights(openWeights('w.pth', file), 'resnet20')
    expect([format, names, notes]).toEqual(['a PyTorch file', 'akamaster', []])
    expect(model.labels).toEqual(['0', '1', '2'])
    expect(model.graph.outputs.get('logits')?.type.shape).toEqual([1, 3])
    const [weight, seed] = [model.weights.get('fc.bias')!, [...shapes.keys()].indexOf('linear.bias')]
    expect([...weight]).toEqual([...Float32Array.of(seed, seed + 1 / 7, seed + 2 / 7)])
  })

  test('class names are as many as it has classes', () => {
    expect(importWeights(openWeights('w.pth', file), 'resnet20', { labels: ['a', 'b', 'c'] }).model.labels).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(() => importWeights(openWeights('w.pth', file), 'resnet20', { labels: ['a', 'b'] })).toThrow(
      "'w.pth' does not fit resnet20: it tells 3 classes apart, not 2",
    )
  })

  test("akamaster's networks were trained on images with ImageNet's mean and deviation", () => {
    const { model, normalization } = importWeights(openWeights('w.pth', file), 'resnet20')
    expect(normalization).toBe('library')
    expect(model.preprocessing).toEqual({ size: [32, 32, 3], ...normalizations.imagenet })
  })

  describe('weights without their classifier', () => {
    const headless = dictOf(shapes)
    headless.delete('linear.weight')
    const half = torchZip(headless)
    headless.delete('linear.bias')
    const cut = torchZip(headless)

    test('are refused, unless a new one is asked for', () => {
      expect(() => importWeights(openWeights('w.pth', cut), 'resnet20')).toThrow(
        "'w.pth' does not fit resnet20: it has no classifier: a training of other classes can start from it",
      )
      const { model, notes } = importWeights(openWeights('w.pth', cut), 'resnet20', {
        classifier: 'new',
        labels: ['a', 'b'],
      })
      expect(notes).toEqual(['it has no classifier: a new one has to be trained'])
      expect(model.labels).toEqual(['a', 'b'])
      const drawn = model.weights.get('fc.weight')!
      expect([drawn.length, drawn.every(value => value !== 0)]).toEqual([2 * 64, true])
      const whole = importWeights(openWeights('w.pth', file), 'resnet20').model
      expect(model.weights.get('conv1.weight')).toEqual(whole.weights.get('conv1.weight'))
      expect(importWeights(openWeights('w.pth', cut), 'resnet20', { classifier: 'new' }).model.labels).toHaveLength(10)
    })

    test('a part of it is no more than damaged', () => {
      const read = () => importWeights(openWeights('w.pth', half), 'resnet20', { classifier: 'new' })
      expect(read).toThrow("'w.pth' does not fit resnet20: it lacks linear.weight")
    })

    test('whoever has one keeps it', () => {
      const { model, notes } = importWeights(openWeights('w.pth', file), 'resnet20', { classifier: 'new' })
      expect([model.labels.length, notes]).toEqual([3, []])
    })
  })

  test('half and double floats become float32', () => {
    const dict: Map<string, TestTensor> = dictOf(shapes)
    const bytes = new Uint8Array(Float64Array.of(1.5, -2, 0.25).buffer)
    dict.set('linear.bias', new TestTensor({ dtype: 'float64', bytes }, [3]))
    dict.set(
      'bn1.bias',
      new TestTensor(
        { dtype: 'float16', bytes: new Uint8Array(Uint16Array.from({ length: 16 }, () => 0x3c00).buffer) },
        [16],
      ),
    )
    dict.set(
      'bn1.weight',
      new TestTensor(
        { dtype: 'bfloat16', bytes: new Uint8Array(Uint16Array.from({ length: 16 }, () => 0x4000).buffer) },
        [16],
      ),
    )
    const { weights } = importWeights(openWeights('w.pth', torchZip(dict)), 'resnet20').model
    expect(weights.get('fc.bias')).toEqual(Float32Array.of(1.5, -2, 0.25))
    expect(weights.get('bn1.bias')).toEqual(new Float32Array(16).fill(1))
    expect(weights.get('bn1.weight')).toEqual(new Float32Array(16).fill(2))
    dict.set('bn1.bias', new TestTensor({ dtype: 'int64', bytes: new Uint8Array(128) }, [16]))
    expect(() => importWeights(openWeights('w.pth', torchZip(dict)), 'resnet20')).toThrow(
      "'bn1.bias' is int64, the model's is float32",
    )
  })

  test("norms are computed as the library computes them: timm's of b5 with 1e-5, torchvision's with 1e-3", () => {
    for (const [library, epsilon] of [
      ['timm', 1e-5],
      ['torchvision', 1e-3],
    ] as const) {
      const { graph } = importWeights(
        openWeights('w.pth', zerosOf('efficientnet-b5', library)),
        'efficientnet-b5',
      ).model
      expect(valuesOf(graph, 'batchNorm', 'epsilon')).toEqual(new Set([epsilon]))
    }
  })

  test("weights of timm's tf_ networks have TensorFlow's padding and ε", () => {
    for (const model of ['efficientnet-b0', 'efficientnet-b5']) {
      const { graph } = importWeights(openWeights('w.pth', zerosOf(model, 'timm')), model, { padding: 'same' }).model
      expect(valuesOf(graph, 'batchNorm', 'epsilon')).toEqual(new Set([1e-3]))
      const own = createModel(model, { padding: 'same' }).graph
      const paddings = (one: Graph) => one.nodes.map(({ attrs }) => attrs['padding'])
      expect(paddings(graph)).toEqual(paddings(own))
    }
    expect(() => importWeights(openWeights('w.pth', file), 'resnet20', { padding: 'same' })).toThrow(
      'padding: unknown option',
    )
  })
})

/** A file with the names and shapes that a library gives a model: all its tensors are views of one storage. */
function zerosOf(model: string, library: string): Uint8Array {
  const [, , shapes] = stateDicts.find(([name, whose]) => name === model && whose === library)!
  const bytes = new Uint8Array(4 * Math.max(...[...shapes.values()].map(elements)))
  const storage = { dtype: 'float32' as const, bytes }
  return torchZip(new Map([...shapes].map(([key, shape]) => [key, new TestTensor(storage, shape)])))
}

const valuesOf = ({ nodes }: Graph, operator: string, attribute: string): ReadonlySet<unknown> =>
  new Set(nodes.flatMap(({ op, attrs }) => (op === operator ? [attrs[attribute]] : [])))
