// A small pool that splits one kernel over the cores and blocks while it is idle (OpenMP's teams spin, which collapses
// on a shared machine). One kernel at a time: a caller that finds the pool busy runs its kernel by itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

namespace parakeet::ops {

// Threads to use; 0 for all cores that the process may use, by its affinity and its control group's quota. Before the
// first parallelFor.
void setPoolThreads(int threads);
// How many threads work, at least 1.
int poolThreads();

// Calls `body(begin, end)` for pieces that cover [0, count), each at least `grain` long, and returns when all have
// ended. Each thread has a share of neighbouring pieces; one that has finished its own takes pieces of the others', so
// a core that is busy with something else takes fewer, and a thread that wakes up too late takes none. An exception in
// a piece is rethrown here. When nested in a piece, it makes one call of `body` for everything, on the calling thread.
// Once the work is cancelled (see ops::GiveUpScope), the remaining pieces are skipped: so only the engine's thread, and
// MLX's on its behalf, may call it beside a request. Elsewhere the request is somebody else's; but on a GPU none gives
// up.
void parallelFor(int count, int grain, const std::function<void(int begin, int end)>& body);

// What a kernel will read soon, thread t of n from t/n of it on: threads that wait fetch the beginning of their part
// into their caches meanwhile. It replaces what was told before, is only a hint, and may be freed at any time.
void willRead(const void* data, size_t size);

// The cancel flag; null for none.
void setGivenUp(const std::atomic<bool>* flag);
// For long loops within a piece.
bool givenUp();

}  // namespace parakeet::ops
