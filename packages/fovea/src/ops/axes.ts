/** @file How operators say which axes of inputs and outputs are the same: see `AxisLink` in define.ts. */
import type { Attributes } from '../graph/graph.js'
import { elements, type Shape, type TensorType } from '../graph/types.js'
import type { AxisLink, KeptIndices, LinkedAxis, OpDefinition } from './define.js'

type Axes = (inputs: readonly TensorType[], outputs: readonly TensorType[]) => readonly AxisLink[]

/** No axis can lose a part: of losses, of what only training has, of what mixes all that it reads. */
export const noAxes: Axes = () => []

/** The channels of an axis of so many indices. */
export const channelsOf = (size: number, channel = (index: number): number => index): Int32Array =>
  Int32Array.from({ length: size }, (_, index) => channel(index))

export const ofInput = (index: number, axis: number, channels: Int32Array): LinkedAxis => ({
  tensor: 'input',
  index,
  axis,
  channels,
})

export const ofOutput = (index: number, axis: number, channels: Int32Array): LinkedAxis => ({
  tensor: 'output',
  index,
  axis,
  channels,
})

/**
 * Axes by letters, as einsum has them: `n..i oi.. o -> n..o` has a word for each input (optional ones may be absent) and
 * output, with a letter for each axis. Axes of one letter are the same, index by index; an axis with a dot is in no link.
 * @param counts of a letter's channels, each a run of neighbouring indices, where there are fewer of them than indices
 */
export function letters(pattern: string, counts: Readonly<Record<string, number>> = {}): Axes {
  const [before, after] = pattern.split(' -> ').map(side => side.split(' '))
  const named = [...new Set(pattern.replace(/[^a-z]/g, ''))]
  return (inputs, outputs) =>
    named.map(letter => {
      const linked = (words: readonly string[], types: readonly TensorType[], of: typeof ofInput) =>
        types.flatMap(({ shape }, i) => {
          const axis = words[i].indexOf(letter)
          const size = shape[axis]
          const channels = counts[letter] ?? size
          return axis < 0
            ? []
            : [
                of(
                  i,
                  axis,
                  channelsOf(size, index => Math.floor((index * channels) / size)),
                ),
              ]
        })
      return [...linked(before, inputs, ofInput), ...linked(after, outputs, ofOutput)]
    })
}

/** Every axis of the output, with those that NumPy's rule aligns with it and that have its size: they are not repeated. */
export function broadcastAxes(inputs: readonly TensorType[], [{ shape }]: readonly TensorType[]): AxisLink[] {
  return shape.map((size, axis) => [
    ...inputs.flatMap((input, i) => {
      const own = axis - (shape.length - input.shape.length)
      return own >= 0 && input.shape[own] === size ? [ofInput(i, own, channelsOf(size))] : []
    }),
    ofOutput(0, axis, channelsOf(size)),
  ])
}

/**
 * The axes of the same elements in two shapes. Where several axes are one on the other side, that one has the channels of
 * the last of them, which is theirs in NHWC: each index in which it stands belongs to it.
 */
export function reshapedAxes([{ shape: from }]: readonly TensorType[], [{ shape: to }]: readonly TensorType[]) {
  return blocks(from, to).flatMap((block): AxisLink[] => {
    if (block.from.length > 1 && block.to.length > 1) return []
    const [a, b] = [block.from.at(-1)!, block.to.at(-1)!]
    const count = Math.min(from[a], to[b])
    const channels = (size: number) => channelsOf(size, index => index % count)
    return [[ofInput(0, a, channels(from[a])), ofOutput(0, b, channels(to[b]))]]
  })
}

interface Block {
  readonly from: number[]
  readonly to: number[]
}

/** The axes of two shapes in blocks that hold equally many elements on both sides; axes of size 1 are in none. */
function blocks(from: Shape, to: Shape): Block[] {
  const found: Block[] = []
  const real = (shape: Shape): number[] => [...shape.keys()].filter(axis => shape[axis] !== 1)
  const rest = { from: real(from), to: real(to) }
  while (rest.from.length > 0) {
    const block: Block = { from: [rest.from.shift()!], to: [rest.to.shift()!] }
    for (;;) {
      const [a, b] = [elements(block.from.map(axis => from[axis])), elements(block.to.map(axis => to[axis]))]
      if (a === b) break
      if (a < b) block.from.push(rest.from.shift()!)
      else block.to.push(rest.to.shift()!)
    }
    found.push(block)
  }
  return found
}

/** An attribute `shape` is the first output's, in every operator; an open size in it stays open. */
export function withOutputShape(attrs: Attributes, shape: Shape): Attributes {
  const old = attrs['shape'] as Shape | undefined
  return old === undefined ? attrs : { ...attrs, shape: shape.map((size, axis) => (old[axis] === -1 ? -1 : size)) }
}

/** The attributes of a node of whose axes these indices are left. */
export function resizedAttributes({ resize }: OpDefinition, attrs: Attributes, kept: KeptIndices): Attributes {
  const shape = kept.outputs[0].map(indices => indices.length)
  return withOutputShape(resize === undefined ? attrs : resize(attrs, kept), shape)
}
