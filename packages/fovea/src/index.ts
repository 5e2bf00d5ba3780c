/**
 * @file The public surface of Fovea's library: everything else may change. What is called from plain JavaScript checks what
 * it is given; what works on graphs for those who know their types is in `fovea/engine`.
 */

export { type RangeMethod, rangeMethods } from './compress/activation-range.js'
export * from './compress/analyze-pruning.js'
export { type Pattern, patterns } from './compress/choose-weights.js'
export { connectionsOf, type LayerConnections } from './compress/connections.js'
export { type ConvertOptions, convertQuantization, roundsAsIntegers } from './compress/convert-quantization.js'
export { isQuantized } from './compress/expect-float32.js'
export { type Criterion, criteria } from './compress/importance.js'
export * from './compress/prepare-quantization.js'
export {
  type ChannelOptions,
  type PruneChannelsOptions,
  type PrunedChannels,
  type PrunedSet,
  prunablePart,
  pruneChannels,
} from './compress/prune-channels.js'
export { type PruneIterativelyOptions, pruneIteratively } from './compress/prune-iteratively.js'
export * from './compress/prune-weights.js'
export * from './compress/quantize-model.js'
export * from './compress/quantize-weights.js'
export { type PruningScope, scopes } from './compress/scope.js'
export { type WeightCriterion, weightCriteria } from './compress/weight-scores.js'
export * from './data/array-dataset.js'
export { parseAugmentation } from './data/augment/augmentation.js'
export { type BatchPlan, batchesOf, batchPlan } from './data/batches.js'
export type { ClassLabels } from './data/class-labels.js'
export * from './data/dataset.js'
export { measureNormalization, normalizations } from './data/normalization.js'
export type { Images } from './data/pixels.js'
export * from './data/subset.js'
export { defaultEngine } from './engines/default.js'
export * from './engines/engine.js'
export { formatBytes } from './engines/memory.js'
export { type ReferenceOptions, referenceEngine } from './engines/reference/reference.js'
export * from './errors.js'
export { decodeCheckpoint, encodeCheckpoint } from './formats/checkpoint.js'
export { encodeWeights, type WeightsOptions } from './formats/encode-weights.js'
export { decodeWeights, type ImportedModel, type ImportOptions, importWeights } from './formats/import-weights.js'
export type { GraphSource, ModelSource, ReadBeside } from './formats/model-source.js'
export { decodeOnnx } from './formats/onnx/decode.js'
export {
  encodeOnnx,
  type OnnxOptions,
  type OnnxPrecision,
  onnxNames,
  onnxPrecisionOf,
  onnxPrecisions,
} from './formats/onnx/encode.js'
export { openSource, openWeights } from './formats/registry.js'
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
} from './formats/safetensors.js'
export { shardsOf } from './formats/sharded.js'
export { type NamingName, namingNames } from './formats/weight-names.js'
export type { StoredTensor, StoredType, WeightSource } from './formats/weight-source.js'
export type { HostArray } from './graph/arrays.js'
export type { Attribute, Attributes, Graph, Node, Value } from './graph/graph.js'
export type { Initializer } from './graph/initializer.js'
export * from './graph/print.js'
export { type DType, formatShape, type Shape, type TensorType } from './graph/types.js'
export type { ModelOptions } from './models/build.js'
export { cnn } from './models/cnn.js'
export { type EfficientnetOptions, efficientnet, efficientnetVariants } from './models/efficientnet.js'
export * from './models/model.js'
export { peakActivationBytes } from './models/peak-activations.js'
export * from './models/registry.js'
export { replaceHead } from './models/replace-head.js'
export { type ResnetOptions, resnet, resnet8, resnetDepths } from './models/resnet.js'
export { speednet } from './models/speednet.js'
export * from './models/summary.js'
export { initialWeights, type StartingImages } from './nn/initializers.js'
export * from './parity/measure.js'
export * from './parity/parity-file.js'
export { featureGraph } from './passes/feature-graph.js'
export { computeType, type Precision, type PrecisionOptions, precisions } from './passes/mixed-precision.js'
export { type MemoryUse, memoryUses } from './passes/recompute.js'
export { type NormStatistics, normStatistics } from './passes/training-mode.js'
export type { ReliabilityBin } from './train/calibration.js'
export { classIndices } from './train/check-dataset.js'
export * from './train/compile.js'
export type { EarlyStopping } from './train/early-stopping.js'
export { type EvaluateOptions, type Evaluation, evaluate } from './train/evaluate.js'
export type { Distillation } from './train/features/distillation.js'
export { initialLossScale } from './train/features/loss-scale.js'
export type { ParameterGroup } from './train/features/parameter-groups.js'
export { type GradualCriterion, gradualCriteria, type Pruning } from './train/features/pruning.js'
export type { WeightAverage } from './train/features/weight-average.js'
export * from './train/find-learning-rate.js'
export type { FitOptions, KerasCompileOptions, KerasLoss, Labels } from './train/keras-options.js'
export { type ClassWeights, oneHot } from './train/labels.js'
export type { LabelForm, Loss } from './train/loss.js'
export type { ClassMetrics, Mistake } from './train/metrics.js'
export type { OptimizerOptions } from './train/optimizers/index.js'
export {
  mostProbable,
  openPredictor,
  type Prediction,
  type Predictor,
  predict,
  predictProbabilities,
} from './train/predict.js'
export type { LearningRateSearch, TriedRate } from './train/rate-suggestion.js'
export {
  defaultRecipe,
  type RecipeName,
  type RecipeSettings,
  recipeNames,
  recipeOf,
  recipes,
} from './train/recipes/index.js'
export type { Recipe } from './train/recipes/recipe.js'
export { learningRateAt, peakRate, type ScheduleOptions } from './train/schedules/index.js'
export { checkSettings, type RecipeChoice, resolveSettings, type TrainingSettings } from './train/settings.js'
export type { ResolvedSettings } from './train/settings-table.js'
export type { StepMoment, TrainingGraph } from './train/step-builder.js'
export { type TestTimeAugmentation, testTimeAugmentations } from './train/test-time-augmentation.js'
export * from './train/train.js'
export {
  type EpochReport,
  type RunStart,
  type SaveMoment,
  type StepProgress,
  type TrainingData,
  type TrainOptions,
  trainSettings,
} from './train/train-options.js'
export { type TrainingBytes, trainingBytes } from './train/training-bytes.js'
export {
  evaluationGraph,
  logitsOf,
  type TrainingGraphOptions,
  trainingGraph,
} from './train/training-graph.js'
export type { Checkpoint, EpochMetrics, LossScaleState, TrainingState } from './train/training-state.js'
