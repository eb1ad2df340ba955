#include "binding/alsa_messages.h"

#ifdef __linux__
#include <dlfcn.h>
#endif

namespace parakeet {

#ifdef __linux__

namespace {

// snd_lib_error_handler_t of alsa/error.h.
using ErrorHandler = void (*)(const char* file, int line, const char* function, int error, const char* format, ...);

void ignore(const char*, int, const char*, int, const char*, ...) {}

}  // namespace

void silenceAlsa() {
  void* library = dlopen("libasound.so.2", RTLD_NOW | RTLD_NOLOAD);
  if (!library) return;
  const auto setHandler = reinterpret_cast<int (*)(ErrorHandler)>(dlsym(library, "snd_lib_error_set_handler"));
  if (setHandler) setHandler(&ignore);
  dlclose(library);  // the recorder holds it
}

#else

void silenceAlsa() {}

#endif

}  // namespace parakeet
