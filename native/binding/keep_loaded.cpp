#include "binding/keep_loaded.h"

#include <dlfcn.h>

#include <stdexcept>

namespace parakeet {

void keepLoaded() {
  // RTLD_NODELETE holds on Linux and on macOS; the linker's `-z nodelete` is Linux's alone.
  Dl_info own;
  if (dladdr(reinterpret_cast<const void*>(&keepLoaded), &own) != 0 &&
      dlopen(own.dli_fname, RTLD_NOW | RTLD_NODELETE) != nullptr) {
    return;
  }
  const char* reason = dlerror();
  throw std::runtime_error(reason ? reason : "The addon cannot hold itself in memory");
}

}  // namespace parakeet
