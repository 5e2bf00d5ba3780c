/** @file The reference results that a model is compared with: what such a file holds, checked. */
import { FormatError } from '../errors.js'
import { asArray, asName, asNumber, asRecord, asWhole } from '../formats/json.js'

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

/** Beyond any model of the registry at any sensible batch. */
const MAX_BATCH = 4096
const MAX_CLASSES = 100_000

/**
 * Checks what a parity file holds.
 * @param json the parsed file
 * @throws FormatError naming the field that is missing or of the wrong type
 */
export function parseParityFile(json: unknown): ParityFile {
  const file = asRecord(json, 'the file')
  const whole = (name: string): number => asWhole(file[name], name, 1)
  const base = {
    model: asName(file['model'], 'model'),
    batch: whole('batch'),
    size: whole('size'),
    classes: whole('classes'),
    parameters: whole('parameters'),
    logits: asArray(file['logits'], 'logits', MAX_BATCH).map((row, b) =>
      asArray(row, `logits[${b}]`, MAX_CLASSES).map((value, i) => asNumber(value, `logits[${b}][${i}]`)),
    ),
    float32: numbers(file['float32'], 'float32'),
  }
  const { batch, classes, logits } = base
  if (logits.length !== batch || logits.some(row => row.length !== classes)) {
    throw new FormatError(`logits must be ${batch} lists of ${classes} numbers`)
  }
  if (file['loss'] === undefined) return base
  const gradients = Object.entries(asRecord(file['gradients'], 'gradients')).map(([name, value]) => {
    const { norm, probe } = numbers(value, `gradients.${name}`)
    return [name, { norm: asNumber(norm, `gradients.${name}.norm`), probe: asNumber(probe, `gradients.${name}.probe`) }]
  })
  const running = numbers(file['running'], 'running')
  return {
    ...base,
    training: { loss: asNumber(file['loss'], 'loss'), gradients: Object.fromEntries(gradients), running },
  }
}

const numbers = (value: unknown, name: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(asRecord(value, name)).map(([key, entry]) => [key, asNumber(entry, `${name}.${key}`)]),
  )
