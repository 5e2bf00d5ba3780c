#include "team.h"

namespace {

constexpr int kMostThreads = 64;
// Looks before a thread sleeps: work often follows within microseconds.
constexpr int kSpins = 2000;

// All threads see the same: it lies in their common memory.
struct Team {
  int count;    // of threads, by what joined
  int work_number;  // grows with each piece of work
  int at_work;  // threads that have not done their part of it
  int team;
  void (*share)(const void*, int);
  const void* work;
  int done[kMostThreads];  // the number of the last work that each has done
} team;

int now(const int& of) { return __atomic_load_n(&of, __ATOMIC_SEQ_CST); }

// Functions of their own: after these instructions, the code that V8 11 makes first (Node 20) has lost the locals around them.
__attribute__((noinline)) void sleep(int* of, int was) { __builtin_wasm_memory_atomic_wait32(of, was, -1); }
__attribute__((noinline)) void wake(int* of, int threads) { __builtin_wasm_memory_atomic_notify(of, threads); }

// Until `of` is not what it was.
void wait_while(int& of, int was) {
  for (int i = 0; i < kSpins; i++) {
    if (now(of) != was) return;
  }
  while (now(of) == was) sleep(&of, was);
}

void publish(int size, void (*share)(const void*, int), const void* work) {
  team.team = size;
  team.share = share;
  team.work = work;
  __atomic_store_n(&team.at_work, team.count, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&team.work_number, 1, __ATOMIC_SEQ_CST);
  wake(&team.work_number, kMostThreads);
}

void await_others() {
  for (int left = now(team.at_work); left > 0; left = now(team.at_work)) wait_while(team.at_work, left);
}

}  // namespace

extern "C" {

// Of threads beside number 0; once, before any of them joins.
__attribute__((export_name("hire"))) void hire(int others) { team.count = others; }

void run_team(int size, void (*share)(const void*, int), const void* work) {
  publish(size, share, work);
  share(work, 0);
  await_others();
}

__attribute__((export_name("join_team"))) void join_team(int thread) {
  for (;;) {
    wait_while(team.work_number, team.done[thread]);
    team.done[thread]++;
    const auto share = team.share;
    if (share && thread < team.team) share(team.work, thread);
    const bool ends = !share;
    if (__atomic_sub_fetch(&team.at_work, 1, __ATOMIC_SEQ_CST) == 0) wake(&team.at_work, 1);
    if (ends) return;
  }
}

void end_team() {
  if (team.count == 0) return;
  publish(0, nullptr, nullptr);
  await_others();
}

}
