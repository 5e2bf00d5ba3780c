// What follows the sums of a convolution that has computed nothing else.
#pragma once
#include "quantization.h"

namespace {

void requantize(const RequantizeFields& s) {
  const Requantizing to(s);
  if (s.from == kInt32) return requantize_sums(to, (const int32_t*)s.sums, s.rows, s.columns, s.threads);
  requantize_sums(to, (const float*)s.sums, s.rows, s.columns, s.threads);
}

}  // namespace
