// What a network makes of an image, layer by layer: `node examples/features.mjs`
import { createModel, defaultEngine, evaluationGraph, featureGraph } from 'fovea'

const model = createModel('resnet18', { input: [64, 64, 3] })
const layers = featureGraph(model.graph, ['layer2.1.relu2', 'layer4.1.relu2'])
const graph = evaluationGraph(layers, 1) // one image at a time
const engine = await defaultEngine()
const program = await engine.compile(graph)
for (const { name, op } of graph.nodes) {
  if (op === 'parameter' || op === 'buffer') await program.write(name, model.weights.get(name))
}
const features = await program.run({ image: new Float32Array(64 * 64 * 3) })
for (const [name, { type }] of graph.outputs) console.log(name, type.shape, features[name].length)
