// What MLX throws when a device fails, as errors of ours.
#pragma once

#include <exception>

namespace parakeet {

// Call it after a batch has failed: gives back the memory that MLX keeps for later, so that a smaller batch finds some.
void afterFailure();

// The same failure; where memory ran out, ERR_PARAKEET_OUT_OF_MEMORY.
std::exception_ptr typed(std::exception_ptr failure);

}  // namespace parakeet
