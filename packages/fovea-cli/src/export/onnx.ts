/** @file An ONNX file of a model, kept when ONNX Runtime, if it is there, computes what the model does. */
import { encodeOnnx, FoveaError, type OnnxPrecision, onnxPrecisionOf } from 'fovea'
import { writeFileAtomic } from '../files.js'
import { foveaCommand } from '../shell.js'
import { type Agreement, agreementOf, type Compared, checkAgreement, tolerances } from './agreement.js'
import type { ExportFormat, ExportRequest } from './formats.js'
import { findRuntime, installRuntime } from './runtime.js'

export const onnx: ExportFormat = {
  about: 'for ONNX Runtime and others, in Node, browsers, Python, C++, phones',
  takes: ['precision', 'preprocessing', 'data'],
  files: out => [out],
  write: async request => {
    const { model, out, preprocessing = false } = request
    const precision = precisionOf(request)
    const file = Buffer.concat(encodeOnnx(model, { precision, preprocessing }))
    const agreement = await checkedAgreement(request, { file, precision, preprocessing })
    await writeFileAtomic(out, file)
    const said = agreement ? `, ${describeAgreement(agreement, request)}` : ''
    return { bytes: file.length, said: `${precision}${said}`, about: { precision, agreement } }
  },
}

/** @throws FoveaError for integers of a model that has none */
export function precisionOf({ model, file, precision }: ExportRequest): OnnxPrecision {
  const own = onnxPrecisionOf(model)
  if (precision !== 'int8' || own === 'int8') return precision ?? own
  const quantize = foveaCommand('quantize', file, '--data', 'DATA')
  throw new FoveaError(`'${file}' does not compute in integers; this makes a model that does: ${quantize}`)
}

/** Who says what of an agreement: on which images, and whether probabilities come out. */
type Described = Pick<ExportRequest, 'imagesName'> & { readonly preprocessing?: boolean }

/** In words. */
export const describeAgreement = (agreement: Agreement, of: Described): string =>
  `checked with ONNX Runtime: ${inNumbers(agreement, of)}`

/** What weights in 8 bits cost, beside the model that they were made of. */
export const describeLoss = (agreement: Agreement, of: Described): string =>
  `beside the model in float32, ${inNumbers(agreement, of)}`

const inNumbers = (
  { images, sameClass, difference }: Agreement,
  { imagesName, preprocessing = false }: Described,
): string =>
  `${sameClass} of ${images} ${imagesName} get the same class, ` +
  `${preprocessing ? 'probabilities' : 'logits'} differ by ${difference.toExponential(0)} of the largest at most`

/** Runs a file beside a model that it need not compute. @returns null where there is nothing to run it with */
export async function lossOf(request: ExportRequest, file: Uint8Array): Promise<Agreement | null> {
  const runtime = await findRuntime()
  if (typeof runtime === 'string') return null
  const { model } = request
  // Classes are counted to the letter: what is lost is the question.
  const compared = { model, file, preprocessing: false, precision: 'float32', images: await request.images() } as const
  return agreementOf(compared, { runtime, engine: request.engine(), optimization: 'basic' })
}

/**
 * Runs the file beside the model.
 * @returns what came of it; null where there is nothing to run it with, which is said
 * @throws FoveaError where the file computes something else
 */
export async function checkedAgreement(
  request: ExportRequest,
  written: Pick<Compared, 'file' | 'precision' | 'preprocessing'>,
): Promise<Agreement | null> {
  const { model, output } = request
  const { precision } = written
  const runtime = await findRuntime()
  if (typeof runtime === 'string') {
    output.warn(`not checked, because ${runtime}; with it, each export is run beside the model: ${installRuntime}`)
    return null
  }
  const compared = { model, ...written, images: await request.images() }
  const engine = request.engine()
  const agreement = await agreementOf(compared, { runtime, engine, optimization: 'basic' })
  checkAgreement(agreement, precision)
  if (precision === 'int8') {
    const unasked = await agreementOf(compared, { runtime, engine, optimization: 'all' })
    if (unasked.difference > tolerances.int8) {
      output.warn(
        `as ONNX Runtime computes unasked, integers overflow on this processor (sums of 16 bits, for want of VNNI): logits differ by ` +
          `${unasked.difference.toPrecision(2)} of the largest. A model that was quantized with --weight-bits 7 does not overflow`,
      )
    }
  }
  return agreement
}
