// Threads that share the memory of this module: each is an instance of it, in a worker of JavaScript's. Number 0 runs plans; the
// others take part where it asks for them.
#pragma once

extern "C" {
// From thread 0: runs share(work, number) for every number below `team`, each on the thread of that number, and waits for all.
void run_team(int team, void (*share)(const void* work, int number), const void* work);

// On the threads 1 and up: does its part of all work from now on, until the end of a run.
void join_team(int thread);
// From thread 0, at the end of a run: lets the others go.
void end_team();
}
