/**
 * @file Measures a model on an engine against results that PyTorch's torchvision gave in float64. Weights, inputs and
 * labels come from a formula, so that no file of weights is needed: the name of each tensor is its seed.
 */
import type { Engine, HostArray, Program } from './engines/engine.js'
import { FormatError } from './errors.js'
import { type Graph, parameterNodes, stateNodes } from './graph/graph.js'
import { elements, type Shape } from './graph/types.js'
import { createModel } from './models/registry.js'
import { GraphBuilder } from './ops/builder.js'
import { crossEntropy } from './ops/cross-entropy.js'
import { autodiff } from './passes/autodiff.js'
import { fuse } from './passes/fuse.js'
import { fuseGradients } from './passes/fuse-gradients.js'
import { inferenceMode } from './passes/inference-mode.js'
import { rewriteInto } from './passes/rewrite.js'
import { setBatchSize } from './passes/set-batch-size.js'
import { trainingMode } from './passes/training-mode.js'
import { mix32, streamOf } from './random.js'

/** Results of a model in float64, and PyTorch's own float32 errors against them. */
export interface ParityFile {
  readonly model: string
  readonly batch: number
  /** Height and width of the images. */
  readonly size: number
  readonly classes: number
  readonly parameters: number
  /** [batch][classes], in evaluation mode. */
  readonly logits: readonly (readonly number[])[]
  readonly float32: Readonly<Record<string, number>>
  /** After one forward and backward pass in training mode; absent in files of evaluation only. */
  readonly training?: {
    readonly loss: number
    readonly gradients: Readonly<Record<string, { readonly norm: number; readonly probe: number }>>
    /** L2 norms of the running statistics after the pass. */
    readonly running: Readonly<Record<string, number>>
  }
}

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

/** Uniform in [−1, 1), a function of the tensor's name and the index in PyTorch's order. */
function uniform(name: string, index: number, seed = streamOf(name)): number {
  return (mix32((seed + Math.imul(0x9e3779b9, index + 1)) >>> 0) / 2 ** 32) * 2 - 1
}

/** The value of the parameter, buffer, `input` or `probe:NAME` at each index, in PyTorch's order. */
export function fill(name: string, shape: Shape): Float32Array {
  const seed = streamOf(name)
  const window = elements(shape.slice(1))
  const value = (u: number): number => {
    if (name === 'input') return 2 * u
    if (name.startsWith('probe:')) return u
    if (name.endsWith('running_mean')) return 0.1 * u
    if (name.endsWith('running_var')) return 1 + 0.5 * u
    if (name.endsWith('bias')) return 0.1 * u
    return shape.length === 1 ? 0.7 + 0.1 * u : u * Math.sqrt(6 / window)
  }
  return Float32Array.from({ length: elements(shape) }, (_, i) => value(uniform(name, i, seed)))
}

/** Images as PyTorch orders them (NCHW), reordered to NHWC. */
function channelsLast(data: Float32Array, batch: number, size: number): Float32Array {
  const pixels = size * size
  return Float32Array.from({ length: data.length }, (_, i) => {
    const [image, pixel, channel] = [Math.floor(i / (3 * pixels)), Math.floor(i / 3) % pixels, i % 3]
    return data[(image * 3 + channel) * pixels + pixel]
  }).subarray(0, batch * 3 * pixels)
}

const norm = (values: HostArray): number => {
  let sum = 0
  for (const value of values) sum += value * value
  return Math.sqrt(sum)
}

/** Runs a model on an engine as the file says and measures how far it is off. */
export async function measureParity(file: ParityFile, engine: Engine): Promise<ParityReport> {
  const { batch, size, classes } = file
  const { graph } = createModel(file.model, { classes, input: [size, size, 3] })
  const batched = setBatchSize(fuse(inferenceMode(graph)), batch)
  const image = channelsLast(fill('input', [batch, 3, size, size]), batch, size)

  const evaluation = engine.compile(batched)
  await writeFilled(evaluation, batched)
  const { logits } = await evaluation.run({ image })
  evaluation.dispose()
  const expected = file.logits.flat()
  const report: ParityReport = {
    model: file.model,
    parameters: parameterNodes(graph).reduce((sum, node) => sum + elements(node.outputs[0].shape), 0),
    expectedParameters: file.parameters,
    maxLogitError:
      norm(Float64Array.from(expected, (value, i) => logits[i] - value)) / norm(Float64Array.from(expected)),
    float32: file.float32,
  }
  return file.training === undefined
    ? report
    : { ...report, ...(await measureTraining(file, file.training, batched, image, engine)) }
}

async function measureTraining(
  { batch, classes }: ParityFile,
  expected: NonNullable<ParityFile['training']>,
  evaluation: Graph,
  image: Float32Array,
  engine: Engine,
) {
  const graph = gradientGraph(evaluation, batch)
  const program = engine.compile(graph)
  await writeFilled(program, graph)
  const label = Int32Array.from({ length: batch }, (_, b) => (7 * b + 3) % classes)
  const outputs = await program.run({ image, label })
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

/** Training mode, mean cross-entropy, and every parameter's gradient as an output. */
function gradientGraph(graph: Graph, batch: number): Graph {
  const builder = new GraphBuilder()
  const training = trainingMode(graph)
  const { mapped } = rewriteInto(builder, training)
  const logits = training.outputs.get('logits')
  if (logits === undefined) throw new Error('a model graph has an output `logits`')
  const label = builder.input('label', [batch], 'int32')
  const loss = builder.emit(crossEntropy, [mapped(logits), label], { labelSmoothing: 0 }, 'loss')
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

/**
 * Checks what a parity file holds.
 * @param json the parsed file
 * @throws FormatError naming the field that is missing or of the wrong type
 */
export function parseParityFile(json: unknown): ParityFile {
  const file = record(json, 'the file')
  const logits = file['logits']
  if (!Array.isArray(logits)) throw new FormatError('logits must be a list of lists of numbers')
  const base = {
    model: text(file['model'], 'model'),
    batch: number(file['batch'], 'batch'),
    size: number(file['size'], 'size'),
    classes: number(file['classes'], 'classes'),
    parameters: number(file['parameters'], 'parameters'),
    logits: logits.map((row: unknown, b) => {
      if (!Array.isArray(row)) throw new FormatError(`logits[${b}] must be a list of numbers`)
      return row.map((value: unknown, i) => number(value, `logits[${b}][${i}]`))
    }),
    float32: numbers(file['float32'], 'float32'),
  }
  if (file['loss'] === undefined) return base
  const gradients = Object.entries(record(file['gradients'], 'gradients')).map(([name, value]) => {
    const { norm, probe } = numbers(value, `gradients.${name}`)
    return [name, { norm: number(norm, `gradients.${name}.norm`), probe: number(probe, `gradients.${name}.probe`) }]
  })
  const running = numbers(file['running'], 'running')
  return {
    ...base,
    training: { loss: number(file['loss'], 'loss'), gradients: Object.fromEntries(gradients), running },
  }
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${name} must be an object`)
  }
  return value as Record<string, unknown>
}

function number(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new FormatError(`${name} must be a number`)
  return value
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new FormatError(`${name} must be a string`)
  return value
}

const numbers = (value: unknown, name: string): Record<string, number> =>
  Object.fromEntries(Object.entries(record(value, name)).map(([key, entry]) => [key, number(entry, `${name}.${key}`)]))
