// What the texts of our CUDA kernels take for granted, on CUDA. The tests on the CPU have their own.
#pragma once

namespace parakeet::ops {

inline constexpr const char* cudaPrelude = R"cuda(
#define LANES 32
// Of bfloat16.
#define TENSOR_CORES (__CUDA_ARCH__ >= 800)
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
// The value of the lane whose number differs in one bit.
template <class T>
__device__ inline T otherLane(T value, int distance) { return __shfl_xor_sync(0xffffffffu, value, distance); }
// sums += a · b of a warp's 16 × 16 and 16 × 8 values (PTX: mma.m16n8k16).
__device__ inline void tensorProduct(float (&sums)[4], unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0,
                                     unsigned b1) {
#if TENSOR_CORES
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
               : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#endif
}
)cuda";

}  // namespace parakeet::ops
