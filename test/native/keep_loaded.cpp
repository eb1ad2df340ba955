// Two programs in one: with KEPT a library that holds itself in memory when its `hold` is called, else the one that
// loads it, gives it back, and says whether it is still there. Arguments: the library, and whether to call `hold`.
#ifdef KEPT

#include "binding/keep_loaded.h"

extern "C" __attribute__((visibility("default"))) void hold() { parakeet::keepLoaded(); }

#else

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

int main(int, char** arguments) {
  void* library = dlopen(arguments[1], RTLD_NOW);
  if (!library) return std::puts(dlerror()), 1;
  if (std::strcmp(arguments[2], "hold") == 0) reinterpret_cast<void (*)()>(dlsym(library, "hold"))();
  dlclose(library);
  std::puts(dlopen(arguments[1], RTLD_NOW | RTLD_NOLOAD) ? "there" : "gone");
}

#endif
