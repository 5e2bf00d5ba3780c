/** @file Whether an ONNX file computes what its model does: both run on the same images, one in ONNX Runtime, one in our engine. */
import {
  arrayDataset,
  batchesOf,
  type Dataset,
  type Engine,
  evaluationGraph,
  FoveaError,
  type HostArray,
  type Model,
  type OnnxPrecision,
  onnxNames,
} from 'fovea'
import { normalAt, stateNodes } from 'fovea/engine'
import type { OnnxRuntime } from './runtime.js'

/** How near the logits are. */
export interface Agreement {
  readonly images: number
  /** On how many images the class is the same. */
  readonly sameClass: number
  /** The largest difference of two logits, as a part of the largest logit; of probabilities where those are what the file gives. */
  readonly difference: number
}

/**
 * The largest difference that is allowed: float32 sums in another order; float16 has 11 bits; of integers, what lies between two may
 * go to either, in every layer.
 */
export const tolerances: Readonly<Record<OnnxPrecision, number>> = { float32: 1e-4, float16: 0.02, int8: 0.1 }

/**
 * What the runtime makes of a graph: to the letter, or as it does unasked. Then it may compute integers in 16 bits, which overflow,
 * on processors without VNNI.
 */
export type Optimization = 'basic' | 'all'

/** The most images at a time. */
const BATCH = 16

/** What is compared, and on what. */
export interface Compared {
  readonly model: Model
  readonly file: Uint8Array
  /** Whether the file takes pixels and gives probabilities. */
  readonly preprocessing: boolean
  readonly precision: OnnxPrecision
  readonly images: Dataset
}

/**
 * Both on all images.
 * @throws what the runtime throws of a file that it does not take
 */
export async function agreementOf(
  { model, file, preprocessing, precision, images }: Compared,
  { runtime, engine, optimization }: { runtime: OnnxRuntime; engine: Engine; optimization: Optimization },
): Promise<Agreement> {
  const batchSize = Math.min(BATCH, images.length)
  const graph = evaluationGraph(model.graph, batchSize)
  const session = await runtime.InferenceSession.create(file, {
    graphOptimizationLevel: optimization,
    logSeverityLevel: 3,
  })
  const program = await engine.compile(graph)
  const rows: Row[] = []
  try {
    for (const { name } of stateNodes(graph)) await program.write(name, model.weights.get(name)!)
    const [height, width, channels] = model.preprocessing.size
    const nchw = [batchSize, channels, height, width]
    const nhwc = [batchSize, height, width, channels]
    const classes = model.labels.length
    const pixels = new Uint8Array(batchSize * height * width * channels)
    for await (const batch of batchesOf(images, { batchSize, normalization: model.preprocessing })) {
      const { logits } = await program.run({ image: batch.images }, ['logits'])
      // Behind the last image comes the first of the batch, as in `batch`.
      const indices = Uint32Array.from({ length: batchSize }, (_, i) => rows.length + (i < batch.count ? i : 0))
      images.read(indices, pixels)
      const feeds = preprocessing
        ? { [onnxNames.pixels]: new runtime.Tensor('uint8', pixels, nhwc) }
        : { [onnxNames.image]: new runtime.Tensor('float32', toNchw(batch.images, nchw), nchw) }
      const outputs = await session.run(feeds)
      const { data } = outputs[preprocessing ? onnxNames.probabilities : onnxNames.logits]
      for (let at = 0; at < batch.count * classes; at += classes) {
        const own = Array.from(logits.slice(at, at + classes))
        rows.push({ own: preprocessing ? softmax(own) : own, theirs: Array.from(data.slice(at, at + classes)) })
      }
    }
  } finally {
    program.dispose()
    await session.release()
  }
  return compared(rows, tolerances[precision])
}

/** What both say of an image: logits, or probabilities. */
interface Row {
  readonly own: readonly number[]
  readonly theirs: readonly number[]
}

function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits)
  const powers = logits.map(x => Math.exp(x - highest))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map(x => x / sum)
}

function compared(rows: readonly Row[], tolerance: number): Agreement {
  const largest = Math.max(...rows.map(({ own }) => Math.max(...own.map(Math.abs)))) || 1
  const farthest = Math.max(...rows.map(({ own, theirs }) => Math.max(...own.map((x, i) => distance(x, theirs[i])))))
  // Of two classes that are as likely for the model too, either will do.
  const same = rows.filter(({ own, theirs }) => {
    const [ours, chosen] = [Math.max(...own), own[theirs.indexOf(Math.max(...theirs))]]
    return ours - chosen <= tolerance * largest
  })
  return { images: rows.length, sameClass: same.length, difference: farthest / largest }
}

/** What is no number is as far as can be. */
function distance(a: number, b: number | undefined): number {
  const d = Math.abs(a - (b ?? Number.NaN))
  return Number.isNaN(d) ? Number.POSITIVE_INFINITY : d
}

/** @throws FoveaError where the file's logits are not the model's */
export function checkAgreement({ difference, images, sameClass }: Agreement, precision: OnnxPrecision): void {
  const most = tolerances[precision]
  if (difference <= most && sameClass === images) return
  const what =
    difference <= most
      ? `${images - sameClass} of ${images} images get another class`
      : `logits differ by ${difference.toPrecision(2)} of the largest, where ${most} is allowed`
  throw new FoveaError(
    `in ONNX Runtime the file does not compute what the model does (${what}), so it is not kept; of a trained model, please report that ` +
      'as a fault of Fovea; where weights are random, rounding alone can grow so far',
  )
}

function toNchw(images: HostArray, [count, channels, height, width]: readonly number[]): Float32Array {
  const pixels = height * width
  const result = new Float32Array(images.length)
  for (let n = 0; n < count; n++) {
    for (let p = 0; p < pixels; p++) {
      for (let c = 0; c < channels; c++)
        result[(n * channels + c) * pixels + p] = images[(n * pixels + p) * channels + c]
    }
  }
  return result
}

/** Images of nothing, where there are no others: soft shapes in colours, so that logits are not all alike. */
export function generatedImages({ preprocessing: { size }, labels: classes }: Model, count: number): Dataset {
  const [height, width, channels] = size
  const images = new Uint8Array(count * height * width * channels)
  for (let n = 0, at = 0; n < count; n++) {
    const wave = (c: number, k: number) => 3 * normalAt(n, 8 * c + k)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          const phase = wave(c, 0) * (x / width) + wave(c, 1) * (y / height) + wave(c, 2)
          images[at++] = 127.5 + 120 * Math.sin(wave(c, 3) * phase) * Math.cos(phase)
        }
      }
    }
  }
  return arrayDataset({ name: 'generated images', images, labels: new Int32Array(count), imageShape: size, classes })
}
