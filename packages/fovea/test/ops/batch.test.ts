/** @file What operators say of the images of a batch is true: each image alone gives what it gives within the batch. */
import { expect, test } from 'vitest'
import { withOutputShape } from '../../src/ops/axes.js'
import type { Tensor } from '../../src/ops/define.js'
import { opDefinition, ops } from '../../src/ops/index.js'
import { operatorCases } from './cases/index.js'
import { apply, type EvaluatedNode, evaluatedNodes } from './evaluated-nodes.js'

const imageOf = (tensor: Tensor, image: number): Tensor => {
  const [images, ...shape] = tensor.shape
  const size = tensor.data.length / images
  return { ...tensor, shape: [1, ...shape], data: tensor.data.slice(image * size, (image + 1) * size) }
}

/** What draws at random does so by the place in the whole batch. */
const drawsAtRandom = ({ definition, inputs }: EvaluatedNode): boolean =>
  (definition.traits ?? []).includes('random') && inputs.length > 1

const tested = new Set<string>()

test.each(operatorCases.map(sample => [`${sample.op}: ${sample.name}`, sample] as const))('%s', (_, sample) => {
  for (const evaluated of evaluatedNodes(sample)) {
    const { node, definition, inputs, outputs } = evaluated
    const roles = definition.batch(inputs, outputs, node.attrs)
    if (roles === undefined || drawsAtRandom(evaluated)) continue
    const images = inputs[roles.inputs[0]]?.shape[0] ?? 0
    const parted = [
      ...inputs.filter((_, i) => roles.inputs.includes(i)),
      ...outputs.filter((_, i) => roles.outputs.includes(i)),
    ]
    expect(new Set(parted.map(({ shape }) => shape[0])).size, node.op).toBeLessThanOrEqual(1)
    // What all images make up cannot be had from one.
    if (outputs.some((_, i) => !roles.outputs.includes(i))) continue
    tested.add(node.op)
    for (let image = 0; image < images; image++) {
      const parts = inputs.map((input, i) => (roles.inputs.includes(i) ? imageOf(input, image) : input))
      const attrs = withOutputShape(node.attrs, [1, ...outputs[0].shape.slice(1)])
      const alone = apply(definition, parts, attrs)
      for (const [i, output] of outputs.entries()) expect(alone[i], node.op).toEqual(imageOf(output, image))
    }
  }
})

test('every operator of images was tried on one at a time, but for those whose outputs all images make up', () => {
  const one = { shape: [1, 1, 1, 1], dtype: 'float32' } as const
  const rest = Object.keys(ops).filter(op => {
    if (tested.has(op)) return false
    const attrs = { axes: [1], before: [0], after: [0], start: [0], stop: [-1], step: [1] }
    return opDefinition(op).batch([one, one], [one, one], attrs) !== undefined
  })
  expect(rest).toEqual(['conv2dWeightGradient', 'linearWeightGradient', 'batchNormTraining', 'batchNormGradient'])
})
