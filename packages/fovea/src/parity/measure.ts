/** @file Measures a model on an engine against results that PyTorch's torchvision gave in float64. */
import type { Engine, Program } from '../engines/engine.js'
import { engineOf } from '../engines/engine-setting.js'
import { FormatError } from '../errors.js'
import type { HostArray } from '../graph/arrays.js'
import { type Graph, parameterNodes, stateNodes } from '../graph/graph.js'
import { createModel } from '../models/registry.js'
import { parameterCount } from '../models/summary.js'
import { GraphBuilder } from '../ops/builder.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import { autodiff } from '../passes/autodiff.js'
import { fuse } from '../passes/fuse.js'
import { fuseGradients } from '../passes/fuse-gradients.js'
import { inferenceMode } from '../passes/inference-mode.js'
import { rewriteInto } from '../passes/rewrite.js'
import { setBatchSize } from '../passes/set-batch-size.js'
import { trainingMode } from '../passes/training-mode.js'
import { isRecord } from '../settings/describe.js'
import { thing } from '../settings/kinds.js'
import { evaluationGraph, logitsOf } from '../train/training-graph.js'
import { fill, inputImages, labelsOf } from './fill.js'
import type { ParityFile } from './parity-file.js'

/** Relative errors; see the fields of the same names in `fovea parity --json`. Training's are absent without training. */
export interface ParityReport {
  readonly model: string
  readonly parameters: number
  readonly expectedParameters: number
  /** |logits − reference| / |reference|, in L2 norms. */
  readonly maxLogitError: number
  /** The largest over the parameters of max(|Δnorm|, |Δprobe|) / (norm + G/1000), G the root mean square of the norms. */
  readonly maxGradientError?: number
  readonly lossError?: number
  readonly maxRunningError?: number
  /** PyTorch's own errors in float32: deep networks in training mode are ill-conditioned. */
  readonly float32: Readonly<Record<string, number>>
}

const norm = (values: HostArray): number => {
  let sum = 0
  for (const value of values) sum += value * value
  return Math.sqrt(sum)
}

const isParityFile = (value: unknown): value is ParityFile =>
  isRecord(value) && typeof value['model'] === 'string' && Array.isArray(value['logits'])

const fileSetting = thing('the results to compare with', 'other', 'what parseParityFile gives', isParityFile)

/** Runs a model on an engine as the file says and measures how far it is off. */
export async function measureParity(file: ParityFile, engine: Engine): Promise<ParityReport> {
  fileSetting.parse(file, 'file')
  engineOf(engine)
  const { batch, size, classes } = file
  const { graph } = createModel(file.model, { classes, input: [size, size, 3] })
  const evaluation = evaluationGraph(graph, batch)
  const image = inputImages(batch, size)
  const program = await engine.compile(evaluation)
  await writeFilled(program, evaluation)
  const { logits } = await program.run({ image })
  program.dispose()
  const expected = file.logits.flat()
  const report: ParityReport = {
    model: file.model,
    parameters: parameterCount(graph),
    expectedParameters: file.parameters,
    maxLogitError:
      norm(Float64Array.from(expected, (value, i) => logits[i] - value)) / norm(Float64Array.from(expected)),
    float32: file.float32,
  }
  return file.training === undefined
    ? report
    : { ...report, ...(await measureTraining(file, file.training, graph, image, engine)) }
}

async function measureTraining(
  { batch, classes }: ParityFile,
  expected: NonNullable<ParityFile['training']>,
  model: Graph,
  image: Float32Array,
  engine: Engine,
) {
  const graph = gradientGraph(model, batch)
  const program = await engine.compile(graph)
  await writeFilled(program, graph)
  const outputs = await program.run({ image, label: labelsOf(batch, classes) })
  const norms = Object.values(expected.gradients).map(gradient => gradient.norm)
  const typical = Math.sqrt(norms.reduce((sum, value) => sum + value * value, 0) / norms.length)
  const shapes = new Map(parameterNodes(graph).map(node => [node.name, node.outputs[0].shape]))
  const gradientErrors = Object.entries(expected.gradients).map(([name, reference]) => {
    const gradient = outputs[`gradient ${name}`]
    const shape = shapes.get(name)
    if (gradient === undefined || shape === undefined) throw new FormatError(`the model has no parameter '${name}'`)
    const probes = fill(`probe:${name}`, shape)
    let probe = 0
    for (let i = 0; i < gradient.length; i++) probe += gradient[i] * probes[i]
    const error = Math.max(Math.abs(norm(gradient) - reference.norm), Math.abs(probe - reference.probe))
    return error / (reference.norm + typical / 1000)
  })
  let maxRunningError = 0
  for (const [name, reference] of Object.entries(expected.running)) {
    const error = Math.abs(norm(await program.read(name)) - reference) / reference
    maxRunningError = Math.max(maxRunningError, error)
  }
  program.dispose()
  return {
    maxGradientError: Math.max(...gradientErrors),
    lossError: Math.abs(outputs['loss'][0] - expected.loss) / Math.abs(expected.loss),
    maxRunningError,
  }
}

/** Training mode without dropout, mean cross-entropy, and every parameter's gradient as an output. */
function gradientGraph(model: Graph, batch: number): Graph {
  const training = trainingMode(fuse(inferenceMode(setBatchSize(model, batch))))
  const builder = new GraphBuilder()
  const { mapped } = rewriteInto(builder, training)
  const label = builder.input('label', [batch], 'int32')
  const loss = builder.emit(crossEntropy, [mapped(logitsOf(training)), label], { labelSmoothing: 0 }, 'loss')
  builder.output('loss', loss)
  const parameters = parameterNodes(training).map(node => mapped({ node, index: 0, type: node.outputs[0] }))
  for (const [i, gradient] of autodiff(builder, loss, parameters).entries()) {
    if (gradient !== undefined) builder.output(`gradient ${parameters[i].node.name}`, gradient)
  }
  return fuseGradients(builder.build())
}

async function writeFilled(program: Program, graph: Graph): Promise<void> {
  for (const node of stateNodes(graph)) await program.write(node.name, fill(node.name, node.outputs[0].shape))
}
