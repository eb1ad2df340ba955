// A small pool that splits one kernel over the cores and blocks while it is idle (OpenMP's teams spin, which collapses
// on a shared machine). One kernel at a time; called from MLX's stream thread only.
#pragma once

#include <functional>

namespace parakeet::ops {

// Threads to use; 0 for all cores. Before the first parallelFor.
void setPoolThreads(int threads);
// How many parts parallelFor makes at the most, at least 1.
int poolThreads();

// Calls `body(begin, end)` for parts that cover [0, count), each at least `grain` long, and returns when all have
// ended. An exception of a part is thrown again here.
void parallelFor(int count, int grain, const std::function<void(int begin, int end)>& body);

}  // namespace parakeet::ops
