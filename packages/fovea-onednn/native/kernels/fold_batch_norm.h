// A batch-norm of given statistics, folded into the weights of the convolution before it.
#pragma once
#include <cmath>

#include "common.h"

namespace {

void fold_batch_norm(const FoldBatchNormFields& s) {
  for (int64_t c = 0; c < s.channels; c++) {
    const double scale = s.gamma[c] / std::sqrt((double)s.variance[c] + s.epsilon);
    for (int64_t i = c * s.per_channel; i < (c + 1) * s.per_channel; i++) s.folded[i] = (float)(s.weight[i] * scale);
    s.folded_bias[c] = (float)(s.beta[c] + ((s.bias ? s.bias[c] : 0) - (double)s.mean[c]) * scale);
  }
}

}  // namespace
