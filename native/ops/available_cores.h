// How many cores this process may use. Not how many threads it will use: that is the pool's.
#pragma once

namespace parakeet::ops {

// At least 1: the cores that the calling thread may run on (its CPU affinity, as set by taskset or a container's
// cpuset), and no more than the CPU quota of the process's control group, rounded up.
int availableCores();

}  // namespace parakeet::ops
