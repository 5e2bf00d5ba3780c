#include "signature.h"

#include <stdexcept>

#include "kernel_fields.h"

namespace fovea {
namespace {

struct BufferRule {
  const char* name;
  bool per_thread;
  int as;  // -1: must be there; itself: may be absent; another: is there exactly where that is
};

struct IntegerRule {
  const char* name;
  enum Kind { kInteger, kFlag, kName, kList } kind;
  int64_t limit;  // the least; for a name, a bit for each number that it may be
  bool admits(int64_t value) const {
    if (kind == kName) return value >= 0 && value < 63 && (limit >> value & 1);
    return value >= limit && (kind != kFlag || value <= 1);
  }
};

struct Signature {
  const char* name;
  std::vector<BufferRule> buffers;
  std::vector<IntegerRule> integers;
  size_t floats;
  void (*sizes)(const StepArgs&, double* bytes);  // that each buffer has at least; of an absent one nobody asks
};

// The functions of fovea/src/engines/planned/kernels/size.ts. Sizes are doubles, which overflow into what is too large.
double n(int64_t value) { return (double)value; }
const List& n(const List& list) { return list; }
double min(double a, double b) { return a < b ? a : b; }
double max(double a, double b) { return a > b ? a : b; }
double choose(double condition, double a, double b) { return condition != 0 ? a : b; }
double up(double value, double step) { return __builtin_ceil(value / step) * step; }
double quotient(double a, double b) { return __builtin_floor(a / b); }
double spread(double channels) { return channels * (double)repeat_of((int64_t)channels); }
double product(const List& dims) {
  double product = 1;
  for (int64_t i = 0; i < dims.size; i++) product *= (double)dims[i];
  return product;
}
double reach(const List& dims, const List& strides) {
  double sum = 1;
  for (int64_t i = 0; i < dims.size; i++) sum += (double)(dims[i] - 1) * (double)strides[i];
  return sum;
}
double element_bytes(int64_t type) {
  switch (type) {
    case kUint8:
    case kInt8: return 1;
    case kBfloat16: case kFloat16: return 2;
    default: return 4;
  }
}

#include "kernel_signatures.h"

// What is said of a step that does not fit.
class Refusal {
 public:
  explicit Refusal(const std::string& kernel) : kernel(kernel) {}
  [[noreturn]] void operator()(const std::string& reason) const {
    throw std::invalid_argument("plan: a step of kernel '" + kernel + "' " + reason);
  }

 private:
  const std::string& kernel;
};

std::string text(double bytes) { return std::to_string((int64_t)(bytes < 9e15 ? bytes : 9e15)); }

// Every list begins with its length, which is that of all lists of the kernel.
void check_integers(const std::vector<IntegerRule>& rules, const std::vector<int64_t>& ints, const Refusal& refuse) {
  size_t at = 0;
  int64_t rank = 0;
  const auto next = [&](const IntegerRule& rule) {
    if (at == ints.size()) refuse("has no '" + std::string(rule.name) + "'");
    return ints[at++];
  };
  const auto check = [&](const IntegerRule& rule, int64_t value) {
    if (!rule.admits(value)) refuse("cannot have " + std::to_string(value) + " as '" + rule.name + "'");
  };
  for (const IntegerRule& rule : rules) {
    if (rule.kind != IntegerRule::kList) {
      check(rule, next(rule));
      continue;
    }
    const int64_t length = next(rule);
    if (length < 1 || (rank > 0 && length != rank)) refuse("has '" + std::string(rule.name) + "' of " + std::to_string(length) + " axes");
    rank = length;
    for (int64_t i = 0; i < length; i++) check(rule, next(rule));
  }
  if (at < ints.size()) refuse("has " + std::to_string(ints.size()) + " whole numbers, not " + std::to_string(at));
}

void check_presence(const std::vector<BufferRule>& rules, const std::vector<Room>& rooms, const Refusal& refuse) {
  if (rooms.size() != rules.size()) {
    refuse("has " + std::to_string(rooms.size()) + " buffers, not " + std::to_string(rules.size()));
  }
  for (size_t i = 0; i < rules.size(); i++) {
    const int as = rules[i].as;
    const bool wanted = as < 0 || rooms[(size_t)as].present;
    if (rooms[i].present != wanted) refuse((wanted ? "lacks '" : "has no use for '") + std::string(rules[i].name) + "'");
  }
}

}  // namespace

size_t common_kernels() {
#define ONE(kernel, Fields) +1
  return 0 FOVEA_KERNELS(ONE);
#undef ONE
}

size_t kernel_number(const std::string& kernel) {
  size_t place = 0;
  const size_t count = sizeof kSignatures / sizeof *kSignatures;
  while (place < count && kernel != kSignatures[place].name) place++;
  if (place == count) throw std::invalid_argument("plan: there is no kernel '" + kernel + "'");
  return place;
}

size_t check_kernel(const std::string& kernel, const std::vector<Room>& rooms, const std::vector<int64_t>& ints,
                    const std::vector<double>& floats, int team) {
  const size_t place = kernel_number(kernel);
  const Signature& signature = kSignatures[place];
  const Refusal refuse(kernel);
  check_presence(signature.buffers, rooms, refuse);
  check_integers(signature.integers, ints, refuse);
  if (floats.size() != signature.floats) {
    refuse("has " + std::to_string(floats.size()) + " numbers, not " + std::to_string(signature.floats));
  }
  const std::vector<void*> nowhere(rooms.size());
  const std::vector<size_t> strides(rooms.size());
  std::vector<double> needed(rooms.size());
  signature.sizes({nowhere.data(), strides.data(), ints.data(), floats.data(), team, 0}, needed.data());
  for (size_t i = 0; i < rooms.size(); i++) {
    if (!rooms[i].present) continue;
    const std::string name = "'" + std::string(signature.buffers[i].name) + "'";
    if (!(needed[i] <= (double)rooms[i].bytes)) {
      refuse("needs " + text(needed[i]) + " bytes as " + name + ", and is given " + std::to_string(rooms[i].bytes));
    }
    if (signature.buffers[i].per_thread && team > 1 && !(needed[i] <= (double)rooms[i].thread_stride)) {
      refuse("needs " + name + " for each thread");
    }
  }
  return place;
}

}  // namespace fovea
