// The cores that a process may use follow its affinity. Prints what is wrong.
#include "ops/available_cores.h"

#include <sched.h>

#include <cstdio>

int main() {
  cpu_set_t all, one;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return std::puts("No affinity"), 1;
  const int before = parakeet::ops::availableCores();
  if (before < 1 || before > CPU_COUNT(&all)) std::printf("%d cores of %d\n", before, CPU_COUNT(&all));
  CPU_ZERO(&one);
  for (int core = 0; CPU_COUNT(&one) == 0; core++) {
    if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
  }
  if (sched_setaffinity(0, sizeof one, &one) != 0) return std::puts("Cannot set the affinity"), 1;
  if (const int cores = parakeet::ops::availableCores(); cores != 1) std::printf("%d cores of 1\n", cores);
}
