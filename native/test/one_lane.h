// What the text of a CUDA kernel takes for granted, for the CPU: a block is one thread, of one lane. A test includes
// this in a namespace of its own, then defines `__device__` and the like and includes the kernel.
#pragma once

#include <bit>

namespace one_lane {

struct Index {
  int x = 0, y = 0, z = 0;
};
inline Index threadIdx, blockIdx, blockDim{1, 1, 1};
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline void __syncthreads() {}
template <class T>
T otherLane(T value, int) {
  return value;
}
inline void tensorProduct(float (&)[4], unsigned, unsigned, unsigned, unsigned, unsigned, unsigned) {}

// Runs `block` for each block of a grid.
template <class Block>
void runGrid(int x, int y, int z, Block block) {
  for (blockIdx.z = 0; blockIdx.z < z; blockIdx.z++) {
    for (blockIdx.y = 0; blockIdx.y < y; blockIdx.y++) {
      for (blockIdx.x = 0; blockIdx.x < x; blockIdx.x++) block();
    }
  }
}

}  // namespace one_lane
