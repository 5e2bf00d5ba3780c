// The table of kernels of one instruction set: included by the kernels_*.cc files, each compiled with its own flags.
#include "batch_norm.h"
#include "depthwise.h"
#include "elementwise.h"
#include "loss.h"
#include "map.h"
#include "movement.h"
#include "pool.h"
#include "reduce.h"
#include "weight_gradient.h"

namespace {

const KernelEntry kTable[] = {
    {"accumulate", accumulate},
    {"activation", activation},
    {"activationGradient", activation_gradient},
    {"adam", adam},
    {"averagePool", average_pool},
    {"averagePoolGradient", average_pool_gradient},
    {"batchNormApply", batch_norm_apply},
    {"batchNormGradientApply", batch_norm_gradient_apply},
    {"batchNormGradientSums", batch_norm_gradient_sums},
    {"batchNormGradientTables", batch_norm_gradient_tables},
    {"batchNormMerge", batch_norm_merge},
    {"batchNormStatistics", batch_norm_statistics},
    {"batchNormTables", batch_norm_tables},
    {"cast", cast},
    {"copy", copy},
    {"crossEntropy", cross_entropy},
    {"crossEntropyGradient", cross_entropy_gradient},
    {"depthwiseWeightGradient", depthwise_weight_gradient},
    {"depthwiseWeightGradientMerge", depthwise_weight_gradient_merge},
    {"dropout", dropout},
    {"foldBatchNorm", fold_batch_norm},
    {"map", map},
    {"maxPool", max_pool},
    {"maxPoolGradient", max_pool_gradient},
    {"meanSquaredError", mean_squared_error},
    {"meanSquaredErrorGradient", mean_squared_error_gradient},
    {"reduce", reduce},
    {"rmsProp", rms_prop},
    {"runningAverage", running_average},
    {"lerp", lerp},
    {"where", where},
    {"gradientScale", gradient_scale},
    {"sgd", sgd},
    {"softmax", softmax},
    {"softmaxGradient", softmax_gradient},
    {"stridedCopy", strided_copy},
    {"weightGradient", weight_gradient},
    {"weightGradientMerge", weight_gradient_merge},
    {nullptr, nullptr},
};

}  // namespace
