/** @file All models by name: what `fovea train MODEL` and `createModel` know. */
import { unknownName } from '../errors.js'
import { group } from '../settings/group.js'
import { text } from '../settings/kinds.js'
import type { ModelOptions } from './build.js'
import { cnn } from './cnn.js'
import { type EfficientnetOptions, efficientnet, efficientnetSettings, efficientnetVariants } from './efficientnet.js'
import type { Model } from './model.js'
import { type ResnetOptions, resnet, resnet8, resnetDepths, resnetSettings } from './resnet.js'
import { speednet } from './speednet.js'

/** What can be chosen beside the depth or variant, which the name tells. */
const resnetOptions = group('what can be chosen of a ResNet', resnetSettings)
const efficientnetOptions = group('what can be chosen of an EfficientNet', efficientnetSettings)

/** What can be chosen of a model by name: each architecture takes its own, and refuses the others'. */
export type NamedModelOptions = ModelOptions & Omit<ResnetOptions, 'depth'> & Omit<EfficientnetOptions, 'variant'>

type Build = (options: NamedModelOptions) => Model

const registry = new Map<string, Build>([
  ['resnet8', resnet8],
  ...resnetDepths.map((depth): [string, Build] => [
    `resnet${depth}`,
    options => resnet({ ...resnetOptions.parse(options, ''), depth }),
  ]),
  ...efficientnetVariants.map((variant): [string, Build] => [
    `efficientnet-${variant}`,
    options => efficientnet({ ...efficientnetOptions.parse(options, ''), variant }),
  ]),
  ['speednet', speednet],
  ['cnn', cnn],
])

/** `resnet8`, `resnet20`, …, `efficientnet-b7`, `speednet`, `cnn`. */
export const modelNames: readonly string[] = [...registry.keys()]

const modelName = text('which model')

/**
 * A new model by name; torchvision's underscores work too (`efficientnet_b0`).
 * @throws InvalidArgumentError for an unknown name, offering the nearest
 */
export function createModel(name: string, options: NamedModelOptions = {}): Model {
  const build = registry.get(modelName.parse(name, 'name').replaceAll('_', '-'))
  if (build === undefined) throw unknownName('model', name, modelNames)
  return build(options)
}
