/**
 * @file What a network learns from another, its teacher, beside the labels: the probabilities that the teacher gives each class,
 * softened by a temperature. Hinton et al. 2015 (arXiv 1503.02531), section 2.
 */
import type { Normalization } from '../../data/dataset.js'
import type { Engine, Program } from '../../engines/engine.js'
import { InvalidArgumentError } from '../../errors.js'
import type { Value } from '../../graph/graph.js'
import type { Model } from '../../models/model.js'
import { add } from '../../ops/add.js'
import { crossEntropy } from '../../ops/cross-entropy.js'
import { multiply } from '../../ops/multiply.js'
import { foldBatchNorm } from '../../passes/fold-batch-norm.js'
import { inferenceMode } from '../../passes/inference-mode.js'
import { setBatchSize } from '../../passes/set-batch-size.js'
import { group, type Rows, type ValueOf } from '../../settings/group.js'
import { number } from '../../settings/kinds.js'
import { probabilities } from '../metrics.js'
import { writeState } from '../state.js'
import type { StepBuilder } from '../step-builder.js'

/** How much a network learns from its teacher. */
export interface Distillation {
  /** By which the logits of both are divided: the higher, the more the classes that are not the first count. Default 4. */
  readonly temperature?: number
  /** The teacher's part of the loss, from 0 to 1; the labels have the rest. Default 0.9. */
  readonly weight?: number
}

/** The table of `Distillation`. */
export const distillationSetting = group('what is learned from another model', {
  temperature: number('by which the logits of both are divided', { above: 0 }).default(4),
  weight: number("the teacher's part of the loss; the labels have the rest", { from: 0, to: 1 }).default(0.9),
} satisfies Rows<Distillation>)

type SettledDistillation = ValueOf<typeof distillationSetting>

/** What the teacher says of a batch is fed as this, [batch, classes]. */
const TEACHER = 'teacher'

/**
 * The loss with the teacher's part: (1 − w)·loss + w·T²·H(teacher's probabilities at T, those of logits / T). T² keeps gradients as
 * large as they are without a temperature.
 */
export function distilledLoss(
  builder: StepBuilder,
  logits: Value,
  loss: Value,
  { temperature, weight }: SettledDistillation,
): Value {
  const target = builder.input(TEACHER, logits.type.shape, 'float32')
  const inverse = builder.constant(1 / temperature, [], logits.type.dtype)
  const softened = builder.emit(multiply, [logits, inverse], {}, 'softLogits')
  const soft = builder.emit(crossEntropy, [softened, target], { labelSmoothing: 0 }, 'softLoss')
  const part = (value: Value, factor: number, name: string): Value =>
    builder.emit(multiply, [value, builder.constant(factor)], {}, name)
  const parts = [part(loss, 1 - weight, 'hardPart'), part(soft, weight * temperature ** 2, 'softPart')]
  return builder.emit(add, parts, {}, 'distilledLoss')
}

/** A compiled teacher, with its weights. */
export class Teacher {
  readonly #program: Program

  /**
   * @param student whose images it is shown
   * @param batchSize of what is fed at once
   * @throws InvalidArgumentError for a teacher of other images or classes
   */
  static async compile(
    model: Model,
    student: Model,
    engine: Engine,
    batchSize: number,
    settings: SettledDistillation,
  ): Promise<Teacher> {
    for (const [what, of] of sameness) {
      const [own, other] = [of(model), of(student)].map(value => JSON.stringify(value))
      if (own !== other) {
        throw new InvalidArgumentError(`teacher ${model.name} has ${what} ${own}, the model that learns has ${other}`)
      }
    }
    const graph = foldBatchNorm(inferenceMode(setBatchSize(model.graph, batchSize)))
    const program = await engine.compile(graph)
    try {
      await writeState(program, graph, model.weights)
      return new Teacher(model, student, settings, program)
    } catch (error) {
      program.dispose()
      throw error
    }
  }

  private constructor(
    readonly model: Model,
    readonly student: Model,
    readonly settings: SettledDistillation,
    program: Program,
  ) {
    this.#program = program
  }

  /** @param images [batch, height, width, channels], normalized for the student. @returns the feed of the step */
  async teach(images: Float32Array): Promise<Readonly<Record<string, Float32Array>>> {
    const image = renormalized(images, this.student.preprocessing, this.model.preprocessing)
    const { logits } = await this.#program.run({ image }, ['logits'])
    const classes = this.model.labels.length
    const target = new Float32Array(logits.length)
    for (let at = 0; at < logits.length; at += classes) {
      const softened = Float64Array.from(logits.subarray(at, at + classes), value => value / this.settings.temperature)
      target.set(probabilities(softened), at)
    }
    return { [TEACHER]: target }
  }

  dispose(): void {
    this.#program.dispose()
  }
}

const sameness: readonly (readonly [string, (model: Model) => unknown])[] = [
  ['classes', ({ labels }) => labels],
  ['images of the size', ({ preprocessing }) => preprocessing.size],
]

/** Images as one model takes them, as another does: of their channels, `scale · value + shift`. */
function renormalized(images: Float32Array, from: Normalization, to: Normalization): Float32Array {
  const channels = to.mean.length
  const scale = to.deviation.map((deviation, c) => from.deviation[c] / deviation)
  const shift = to.deviation.map((deviation, c) => (from.mean[c] - to.mean[c]) / deviation)
  if (scale.every(value => value === 1) && shift.every(value => value === 0)) return images
  return images.map((value, i) => scale[i % channels] * value + shift[i % channels])
}
