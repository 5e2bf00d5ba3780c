/**
 * @file A folder that transformers.js loads as it is: `pipeline('image-classification', FOLDER)`. Its files are those of a
 * repository on the Hugging Face hub.
 */
import { join } from 'node:path'
import {
  encodeOnnx,
  FoveaError,
  isQuantized,
  type Model,
  type OnnxPrecision,
  onnxPrecisionOf,
  quantizeWeights,
} from 'fovea'
import { defaultResizing, resizedSide } from 'fovea/engine'
import { writeFileAtomic } from '../files.js'
import type { Output } from '../output.js'
import type { ExportFormat } from './formats.js'
import { checkedAgreement, describeAgreement, describeLoss, lossOf } from './onnx.js'

/** What transformers.js asks for by `dtype`: fp32 (in Node, unasked), fp16, q8 (in browsers, unasked). */
const MODELS = { fp32: 'onnx/model.onnx', fp16: 'onnx/model_fp16.onnx', q8: 'onnx/model_quantized.onnx' } as const
const SETTINGS = ['config.json', 'preprocessor_config.json']

export const transformers: ExportFormat = {
  about: 'a folder for transformers.js: ONNX files of float32, float16 and 8-bit weights, and their settings',
  takes: ['data'],
  files: out => [...SETTINGS, ...Object.values(MODELS)].map(name => join(out, name)),
  write: async request => {
    const { model, out } = request
    const { interpolation = 'lanczos' } = model.preprocessing.resizing ?? {}
    if (interpolation !== 'lanczos') {
      request.output.warn(
        `transformers.js resizes by lanczos, not by ${interpolation}: its own ${interpolation} skips pixels`,
      )
    }
    const settings = { 'config.json': configOf(model), 'preprocessor_config.json': processorOf(model) }
    const files = new Map<string, Uint8Array>()
    const agreements: Record<string, unknown> = {}
    const losses: Record<string, unknown> = {}
    const output = warningOnce(request.output)
    let said = ''
    for (const [dtype, [made, precision]] of Object.entries(modelsOf(model))) {
      const file = Buffer.concat(encodeOnnx(made, { precision }))
      const agreement = await checkedAgreement(
        { ...request, output, model: made },
        { file, precision, preprocessing: false },
      )
      files.set(MODELS[dtype as keyof typeof MODELS], file)
      agreements[dtype] = agreement
      if (agreement) said += `${said === '' ? '' : '; '}${dtype} ${describeAgreement(agreement, request)}`
      if (made === model) continue
      const loss = await lossOf(request, file)
      losses[dtype] = loss
      if (loss) said += `, ${describeLoss(loss, request)}`
    }
    let bytes = 0
    for (const [name, json] of Object.entries(settings))
      files.set(name, Buffer.from(`${JSON.stringify(json, null, 2)}\n`))
    for (const [name, content] of files) {
      await writeFileAtomic(join(out, name), content)
      bytes += content.length
    }
    return { bytes, ...(said !== '' && { said }), about: { agreements, losses } }
  },
}

/** What holds for all files is said once. */
function warningOnce(output: Output): Output {
  const said = new Set<string>()
  return {
    ...output,
    warn(text) {
      if (!said.has(text)) output.warn(text)
      said.add(text)
    },
  }
}

/** The model of each file. What computes in integers is that in all of them; there is no other. */
function modelsOf(model: Model): Partial<Record<keyof typeof MODELS, readonly [Model, OnnxPrecision]>> {
  const own = onnxPrecisionOf(model)
  if (isQuantized(model)) return { fp32: [model, own], q8: [model, own] }
  return { fp32: [model, own], fp16: [model, 'float16'], q8: [quantizeWeights(model), own] }
}

/** The kinds of model that transformers.js knows; to it they differ by name only. */
function configOf({ name, labels }: Model) {
  const isEfficientnet = name.startsWith('efficientnet')
  return {
    model_type: isEfficientnet ? 'efficientnet' : 'resnet',
    architectures: [isEfficientnet ? 'EfficientNetForImageClassification' : 'ResNetForImageClassification'],
    id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  }
}

/** Pillow's number. By the others transformers.js does not average pixels but skips them, so that this is nearest to them here, too. */
const LANCZOS = 1

/** @throws FoveaError for images that transformers.js cannot make */
function processorOf({ name, preprocessing }: Model) {
  const { size, mean, deviation, resizing = defaultResizing } = preprocessing
  const [height, width, channels] = size
  if (channels !== 3)
    throw new FoveaError(`${name} takes grey images, and transformers.js makes none: export it as onnx or web`)
  if (height !== width) {
    throw new FoveaError(
      `${name} takes images of ${width}×${height}, and transformers.js makes square ones: export it as onnx or web`,
    )
  }
  return {
    image_processor_type: 'ViTImageProcessor',
    ...{
      do_resize: true,
      size: { shortest_edge: resizedSide(height, resizing) },
      resample: LANCZOS,
    },
    ...{ do_center_crop: true, crop_size: { height, width } },
    ...{ do_rescale: true, rescale_factor: 1 / 255 },
    ...{ do_normalize: true, image_mean: mean, image_std: deviation, do_convert_rgb: true },
  }
}
