// How kernels split work over threads: by OpenMP, in WebAssembly by a team of our own, or on one thread where the compiler has
// neither. In an anonymous namespace, as all that kernels are compiled from (simd.h).
#pragma once
#include <cstdint>
#if defined(_OPENMP)
#include <omp.h>
#elif defined(__wasm__)
extern "C" void run_team(int team, void (*share)(const void* work, int number), const void* work);  // fovea-wasm/native/team.h
#endif

namespace {

// Calls body(begin, end, thread) on disjoint ranges of [0, n), at least `grain` each; the split depends on n, grain and
// threads only, so the same run gives the same bits. Each thread has a copy of the body: what that holds by value stays in registers, where
// the compiler would read it again after each number that is written, as another thread might have changed it.
template <class Body>
inline void parallel(int64_t n, int64_t grain, int threads, Body body) {
  int64_t most = n / (grain > 0 ? grain : 1);
  int team = (int)(most < 1 ? 1 : most < threads ? most : threads);
  if (team == 1) {
    body((int64_t)0, n, 0);
    return;
  }
#if defined(_OPENMP)
#pragma omp parallel num_threads(team)
  {
    const Body own = body;
    // A share belongs to a number, not to a thread: the system may give fewer threads than asked for.
    for (int share = omp_get_thread_num(); share < team; share += omp_get_num_threads()) {
      own(n * share / team, n * (share + 1) / team, share);
    }
  }
#elif defined(__wasm__)
  const struct Work {
    int64_t n;
    int team;
    Body* body;
  } work{n, team, &body};
  const auto share = [](const void* given, int number) {
    const Work& w = *(const Work*)given;
    const Body own = *w.body;
    own(w.n * number / w.team, w.n * (number + 1) / w.team, number);
  };
  run_team(team, share, &work);
#else
  for (int share = 0; share < team; share++) body(n * share / team, n * (share + 1) / team, share);
#endif
}

}  // namespace
