// What the text of a CUDA kernel takes for granted, for the CPU: a block of two warps, whose lanes are threads that
// meet wherever lanes do. One block runs at a time. What a tensor core does is done by its definition (PTX,
// mma.m16n8k16).
#pragma once

#include <algorithm>
#include <array>
#include <barrier>
#include <bit>
#include <iterator>
#include <thread>
#include <vector>

namespace warps {

constexpr int lanes = 32, warpsOfBlock = 2;

struct Index {
  int x = 0, y = 0, z = 0;
};
inline thread_local Index threadIdx;
inline Index blockIdx, blockDim{lanes * warpsOfBlock, 1, 1}, gridDim{1, 1, 1};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) ushort4 {
  unsigned short x, y, z, w;
};
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline unsigned atomicAdd(unsigned* to, unsigned value) {
  *to += value;  // one block
  return *to - value;
}
inline void __threadfence() {}

inline std::barrier<> meetingOfBlock(lanes* warpsOfBlock);
inline void __syncthreads() { meetingOfBlock.arrive_and_wait(); }

// What the lanes of a warp show each other: they all come, read what the others left, and come again.
struct Warp {
  std::barrier<> meeting{lanes};
  unsigned shown[lanes][6];
};
inline std::array<Warp, warpsOfBlock> ofBlock;

template <class T>
T otherLane(T value, int distance) {
  static_assert(sizeof(T) == sizeof(unsigned));
  Warp& own = ofBlock[threadIdx.x / lanes];
  const int lane = threadIdx.x % lanes;
  own.shown[lane][0] = std::bit_cast<unsigned>(value);
  own.meeting.arrive_and_wait();
  const T other = std::bit_cast<T>(own.shown[lane ^ distance][0]);
  own.meeting.arrive_and_wait();
  return other;
}

inline void tensorProduct(float (&sums)[4], unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0,
                          unsigned b1) {
  Warp& own = ofBlock[threadIdx.x / lanes];
  const int lane = threadIdx.x % lanes;
  const unsigned values[] = {a0, a1, a2, a3, b0, b1};
  std::copy(std::begin(values), std::end(values), own.shown[lane]);
  own.meeting.arrive_and_wait();
  const auto half = [](unsigned bits, int which) {
    return __uint_as_float(which == 0 ? bits << 16 : bits & 0xffff0000u);
  };
  // a[row][k] is in register (row ≥ 8) + 2 · (k ≥ 8) of lane 4 · (row mod 8) + k mod 8 / 2; b[k][n] in register k ≥ 8
  // of lane 4 · n + k mod 8 / 2.
  for (int i = 0; i < 4; i++) {
    const int row = lane / 4 + i / 2 * 8, n = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 16; k++) {
      const float a = half(own.shown[row % 8 * 4 + k % 8 / 2][row / 8 + k / 8 * 2], k % 2);
      const float b = half(own.shown[n * 4 + k % 8 / 2][4 + k / 8], k % 2);
      sums[i] += a * b;
    }
  }
  own.meeting.arrive_and_wait();
}

// Runs `thread` as each thread of the blocks of a grid, one block after the other.
template <class Thread>
void runGrid(int x, int y, int z, Thread thread) {
  gridDim = {x, y, z};
  for (int block = 0; block < x * y * z; block++) {
    blockIdx = {block % x, block / x % y, block / x / y};
    std::vector<std::thread> threads;
    for (int i = 0; i < blockDim.x; i++) {
      threads.emplace_back([&, i] {
        threadIdx.x = i;
        thread();
      });
    }
    for (std::thread& one : threads) one.join();
  }
}

}  // namespace warps
