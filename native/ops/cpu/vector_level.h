// Which instruction set the loops of vector.h and the tile kernels use.
#pragma once

#ifdef __x86_64__

namespace parakeet::ops {

// base: SSE2, which every such CPU has; avx2: with FMA; avx512: F, BW, DQ and VL.
enum class VectorLevel { base, avx2, avx512 };

// The newest that the CPU and the system have, and that oneDNN was not told to avoid (ONEDNN_MAX_CPU_ISA).
VectorLevel vectorLevel();

}  // namespace parakeet::ops

#endif
