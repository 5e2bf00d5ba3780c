// How the fields of a step are taken out of it, one after another, by the structs in kernel_fields.h, which are made from the
// table of kernels (fovea/src/engines/planned/kernels/table.ts).
#pragma once
#include "step.h"

namespace {

struct List {
  const int64_t* values;
  int64_t size;
  int64_t operator[](int64_t i) const { return values[i]; }
};

// A buffer of which each thread has its own.
template <class T>
struct PerThread {
  T* first;
  size_t stride;  // bytes
  T* of(int thread) const { return (T*)((char*)first + stride * (size_t)thread); }
};

class Taker {
 public:
  explicit Taker(const StepArgs& step) : step(step) {}
  template <class T>
  T* buffer() {
    return (T*)step.buffers[at_buffer++];
  }
  template <class T>
  PerThread<T> per_thread() {
    const size_t stride = step.thread_strides[at_buffer];
    return {buffer<T>(), stride};
  }
  int64_t integer() { return step.ints[at_int++]; }
  List list() {
    const int64_t size = integer();
    const int64_t* values = step.ints + at_int;
    at_int += size;
    return {values, size};
  }
  double number() { return step.floats[at_float++]; }

 private:
  const StepArgs& step;
  int64_t at_buffer = 0, at_int = 0, at_float = 0;
};

struct StepFields {
  Taker take;
  int threads;
  int64_t first_image;
  explicit StepFields(const StepArgs& step) : take(step), threads(step.threads), first_image(step.first_image) {}
};

// How often tables of so many channels are repeated: to a multiple of 16 numbers and at least 64, whatever a vector holds.
inline int64_t repeat_of(int64_t channels) {
  int64_t repeat = 1;
  while (channels * repeat % 16 != 0) repeat *= 2;
  while (channels * repeat < 64) repeat *= 2;
  return repeat;
}

}  // namespace
