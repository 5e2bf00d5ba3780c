// A plan is a list of steps over buffers at fixed places in two blocks of memory: the arena, whose content lives for one
// run, and the state, which lives on. TypeScript made every decision; this only executes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "onednn.h"
#include "step.h"

namespace fovea {

// 64-byte aligned memory, zeroed; pages are taken from the system when first touched.
class Block {
 public:
  explicit Block(size_t bytes);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  char* data() const { return memory; }
  size_t size() const { return bytes; }

 private:
  char* memory;
  size_t bytes;
};

struct Place {
  bool state;
  size_t offset, bytes;
};

struct Step {
  std::string kernel;
  int primitive = -1;  // a oneDNN primitive's number instead of a kernel
  bool once = false;   // depends on unchanging state only: runs when that was written
  KernelFunction run = nullptr;
  std::vector<void*> buffers;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  double seconds = 0;  // summed over the profiled runs
};

struct Transfer {
  int buffer;
  void* host;
  size_t bytes;
};

class Plan {
 public:
  explicit Plan(int threads);
  Primitives primitives;
  const int threads;

  void allocate(size_t arena_bytes, size_t state_bytes, std::vector<Place> places);
  void add_kernel(const std::string& name, const std::vector<int>& buffers, std::vector<int64_t> ints,
                  std::vector<double> floats, bool once);
  void add_primitive(int id, const std::vector<int>& buffers, bool once);
  // Checked: the bytes must fit the buffer.
  void* at(int buffer, size_t bytes) const;
  void run(const std::vector<Transfer>& feeds, const std::vector<Transfer>& outputs, bool profile, bool refresh);
  const std::vector<Step>& all_steps() const { return steps; }

 private:
  std::vector<void*> pointers(const std::vector<int>& buffers) const;
  const KernelEntry* kernels;
  std::vector<Place> places;
  std::vector<Step> steps;
  std::unique_ptr<Block> arena, state;
};

// The kernels of the best instruction set this processor has; FOVEA_ISA=generic|avx2|avx512 lowers it for tests.
const KernelEntry* best_kernels();

}  // namespace fovea
