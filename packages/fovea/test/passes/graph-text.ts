/** @file A graph as text for tests of passes: leaves are left out, and so are the attributes that all convolutions share. */
import type { Graph } from '../../src/graph/graph.js'
import { printGraph } from '../../src/graph/print.js'

export const text = (graph: Graph): string =>
  printGraph(graph)
    .split('\n')
    .filter(line => !/ = (parameter|buffer|constant)\(/.test(line))
    .map(line => line.replace(/ stride=.*groups=1/, ''))
    .join('\n')
