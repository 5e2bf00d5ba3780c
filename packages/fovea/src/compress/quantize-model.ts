/** @file Post-training quantization: weights and activations of convolutions and matrices as integers of 8 bits, without training. */
import type { Model } from '../models/model.js'
import { convertQuantization } from './convert-quantization.js'
import { prepareQuantization, type QuantizedModel, type QuantizeOptions } from './prepare-quantization.js'

/**
 * The model in integers: weights int8, symmetric by output channel; activations uint8, asymmetric, one scale for each; biases
 * int32 (Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018, arXiv 1806.08342). Norms are folded before. What is no
 * convolution and no matrix computes in float32.
 * @returns a model that can be measured, saved and exported, and trained no more
 * @throws InvalidArgumentError for options or images that do not fit, a model that is quantized already, and images that are all
 * of one color
 */
export async function quantizeModel(model: Model, options: QuantizeOptions): Promise<QuantizedModel> {
  const { model: prepared, layers } = await prepareQuantization(model, options)
  return { model: convertQuantization(prepared), layers }
}
