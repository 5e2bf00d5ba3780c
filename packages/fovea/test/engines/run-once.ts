/** @file What a graph gives when it is run once. */
import type { Engine, Feeds, Outputs } from '../../src/engines/engine.js'
import type { Graph } from '../../src/graph/graph.js'

export async function runOnce(engine: Engine, graph: Graph, feeds: Feeds): Promise<Outputs> {
  const program = await engine.compile(graph)
  try {
    return await program.run(feeds)
  } finally {
    program.dispose()
  }
}
