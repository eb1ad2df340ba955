#include "binding/keep_loaded.h"

#include <stdexcept>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace parakeet {

#ifdef _WIN32

void keepLoaded() {
  HMODULE own = nullptr;
  constexpr DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
  if (!GetModuleHandleExW(flags, reinterpret_cast<LPCWSTR>(&keepLoaded), &own))
    throw std::runtime_error("The addon cannot hold itself in memory");
}

#else

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

#endif

}  // namespace parakeet
