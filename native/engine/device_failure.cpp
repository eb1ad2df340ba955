#include "engine/device_failure.h"

#include <mlx/memory.h>

#include <new>
#include <string>

#include "error.h"

namespace parakeet {
namespace {

// MLX has no type for it. CUDA: "cudaMallocAsync(…) failed: out of memory", "[malloc] Unable to allocate"; Metal:
// "[metal::malloc] Attempting to allocate", "Insufficient Memory".
bool saysOutOfMemory(const std::string& message) {
  for (const char* part : {"out of memory", "nable to allocate", "metal::malloc", "nsufficient Memory"}) {
    if (message.find(part) != std::string::npos) return true;
  }
  return false;
}

std::exception_ptr outOfMemory(const std::string& message) {
  return std::make_exception_ptr(Error("ERR_PARAKEET_OUT_OF_MEMORY",
                                       "Expected memory for one signal by itself but there was none (" + message +
                                           "). Use a smaller model, dtype 'int8', shorter windows, or fewer streams."));
}

}  // namespace

void afterFailure() { mlx::core::clear_cache(); }

std::exception_ptr typed(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error&) {
    return failure;
  } catch (const std::bad_alloc& error) {
    return outOfMemory(error.what());
  } catch (const std::exception& error) {
    return saysOutOfMemory(error.what()) ? outOfMemory(error.what()) : failure;
  } catch (...) {
    return failure;
  }
}

}  // namespace parakeet
