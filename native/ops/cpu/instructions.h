// What the CPU that runs us multiplies by itself. On x86_64 as oneDNN sees it, which ONEDNN_MAX_CPU_ISA may limit.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <string>

namespace parakeet::ops {

// Whether it multiplies bfloat16 by itself (AVX512-BF16, AMX; on arm64 the extension of that name).
bool hasBfloat16();
// Whether products of bytes may use all 8 bits of both operands: without VNNI, AMX or arm64's dot products they are
// slower than those of floats.
bool hasByteProducts();

// The instruction set of the products: "avx2", "avx512_core_bf16", "neon_dotprod", …
std::string instructions();

}  // namespace parakeet::ops

#endif
