/** @file Layers that stay as they are, by patterns over their names. */
import type { Node } from '../graph/graph.js'
import { matching } from '../graph/patterns.js'
import { list, text } from '../settings/kinds.js'

/** The setting `keepFloat32`. */
export const keepFloat32Setting = list(
  'layers that stay float32, such as conv1,layer1.*',
  'patterns over names of layers',
  text('a pattern'),
).default([])

/** @throws SettingError for a pattern that matches no layer */
export const keptLayers = (layers: readonly Node[], patterns: readonly string[]): Set<Node> =>
  matching(layers, patterns, { what: 'layer', setting: 'keepFloat32' })
