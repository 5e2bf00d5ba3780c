/** @file What elementwise operators have in common: an element of the output comes from the elements at its place, broadcast. */
import { broadcastAxes, noAxes } from './axes.js'
import { noImages, perBroadcastImage } from './batch.js'
import type { OpDefinition } from './define.js'

/** Of activations, arithmetic and the like. */
export const elementwise = {
  traits: ['elementwise'],
  batch: perBroadcastImage,
  memory: [[0]],
  axes: broadcastAxes,
} as const satisfies Partial<OpDefinition>

/** Of what gives state its next content: there are no images in it. */
export const elementwiseUpdate = {
  traits: ['elementwise', 'update'],
  batch: noImages,
  axes: noAxes,
} as const satisfies Partial<OpDefinition>
