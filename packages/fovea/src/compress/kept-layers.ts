/** @file Layers that stay as they are, by patterns over their names. */
import { SettingError } from '../errors.js'
import type { Node } from '../graph/graph.js'
import { matches } from '../graph/patterns.js'
import { list, text } from '../settings/kinds.js'

/** The setting `keepFloat32`. */
export const keepFloat32Setting = list(
  'layers that stay float32, such as conv1,layer1.*',
  'patterns over names of layers',
  text('a pattern'),
).default([])

/** @throws SettingError for a pattern that matches no layer: it is misspelt */
export function keptLayers(layers: readonly Node[], patterns: readonly string[]): Set<Node> {
  const misspelt = patterns.find(pattern => !layers.some(({ name }) => matches(pattern, name)))
  if (misspelt !== undefined) {
    const some = layers.slice(0, 3).map(({ name }) => name)
    throw new SettingError('keepFloat32', `'${misspelt}' matches no layer; there are ${some.join(', ')}, …`)
  }
  return new Set(layers.filter(({ name }) => patterns.some(pattern => matches(pattern, name))))
}
