// Products of 16 rows of bfloat16 with eight vectors of float32 by tensor cores. Rows are exact there; the vectors' values
// go as the sum of two bfloat16, 2⁻¹⁷ from the value at most.
//
// A part of the header of kernels that NVRTC compiles, after cuda_prelude.h and bfloat16.cuh; native/test runs it on the CPU with a warp's
// 32 threads.
namespace parakeet_tiles {

using namespace parakeet_bits;

constexpr int tileRows = 16, tileVectors = 8, tileValues = 32;

// Values of a vector and of what follows it, so that the lanes of a warp read different banks.
__device__ constexpr int strideOf(int width) { return width + (96 - width % 64) % 64; }

struct __align__(16) Eight {
  unsigned x, y, z, w;  // two values each
};

// Eight vectors, each value as the sum of two.
struct Halves {
  unsigned short *high, *low;  // [tileVectors, stride]
  int stride;
  __device__ void put(int s, int k, float value) const {
    unsigned short& own = high[s * stride + k];
    narrow(value, own);
    narrow(value - widened(own), low[s * stride + k]);
  }
};

// Adds the products of 16 rows, `rowOf(0)` to `rowOf(15)`, with the vectors' values from `from` on, before `until`.
// Afterwards a lane has those of the rows lane / 4 and lane / 4 + 8 (sums[2], sums[3]) with the vectors
// 2 · (lane % 4) and the one after it. Which values a tensor core takes for neighbours does not matter as long as
// rows and vectors agree on it: a lane reads eight in a row.
template <class RowOf>
__device__ inline void multiplyTile(RowOf rowOf, const Halves& vectors, int from, int until, int lane,
                                    float (&sums)[4]) {
  const int group = lane / 4, place = lane % 4 * 8;
  const unsigned short *first = rowOf(group) + place, *second = rowOf(group + 8) + place;
  const unsigned short *high = vectors.high + group * vectors.stride + place,
                       *low = vectors.low + group * vectors.stride + place;
  float lows[4] = {};
#pragma unroll 2
  for (int k = from; k < until; k += tileValues) {
    const Eight a = *reinterpret_cast<const Eight*>(first + k), b = *reinterpret_cast<const Eight*>(second + k);
    const Eight h = *reinterpret_cast<const Eight*>(high + k), l = *reinterpret_cast<const Eight*>(low + k);
    tensorProduct(sums, a.x, b.x, a.y, b.y, h.x, h.y);
    tensorProduct(lows, a.x, b.x, a.y, b.y, l.x, l.y);
    tensorProduct(sums, a.z, b.z, a.w, b.w, h.z, h.w);
    tensorProduct(lows, a.z, b.z, a.w, b.w, l.z, l.w);
  }
#pragma unroll
  for (int i = 0; i < 4; i++) sums[i] += lows[i];
}

}  // namespace parakeet_tiles
