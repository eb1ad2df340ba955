// A small pool that splits one kernel over the cores and blocks while it is idle (OpenMP's teams spin, which collapses
// on a shared machine). One kernel at a time: who finds the pool at work does its own alone.
#pragma once

#include <atomic>
#include <functional>

namespace parakeet::ops {

// Threads to use; 0 for all cores that the process may use, by its affinity and its control group's quota. Before the
// first parallelFor.
void setPoolThreads(int threads);
// How many threads work, at least 1.
int poolThreads();

// Calls `body(begin, end)` for pieces that cover [0, count), each at least `grain` long, and returns when all have
// ended. A thread takes the next piece when it is done with one, so that a core that is busy with something else takes
// fewer, and one that does not come in time takes none. An exception of a piece is thrown again here.
// Within one of several pieces: one call of `body` for all, by the thread that calls.
// Pieces are left out once somebody gave up (see ops::GiveUpScope).
void parallelFor(int count, int grain, const std::function<void(int begin, int end)>& body);

// The flag that says so; null for none.
void setGivenUp(const std::atomic<bool>* flag);
// For loops that are long within a piece.
bool givenUp();

}  // namespace parakeet::ops
