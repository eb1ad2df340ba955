// Layer norm of rows to which the same values are added first, as one CUDA kernel. A warp has a row.
//
// Compiled by NVRTC as the header of a kernel (shifted_norm.cpp), and by native/test for the CPU.
namespace parakeet_norm {

using namespace parakeet_bits;

// Values that are read and written at once.
template <class V>
struct alignas(4 * sizeof(V)) Four {
  V values[4];
};

__device__ inline float ofWarp(float sum) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) sum += otherLane(sum, distance);
  return sum;
}

// x and y: [blocks, WIDTH]; shift, weight and bias: [WIDTH], float. WIDTH is a multiple of four, and a block a warp.
// y = (x + shift − mean) / √(variance + 1e-5) · weight + bias. V is bfloat16's bits or float.
template <int WIDTH, class V>
__device__ inline void normalize(const V* x, const float* shift, const float* weight, const float* bias, V* y) {
  constexpr int step = 4 * 32, pieces = (WIDTH + step - 1) / step;
  const int first = 4 * threadIdx.x;
  x += static_cast<long>(blockIdx.x) * WIDTH;
  y += static_cast<long>(blockIdx.x) * WIDTH;

  float row[pieces][4], sum = 0.0f;
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    const int at = first + p * step;
    if (at >= WIDTH) continue;
    const Four<V> own = *reinterpret_cast<const Four<V>*>(x + at);
    const Four<float> added = *reinterpret_cast<const Four<float>*>(shift + at);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      row[p][i] = widened(own.values[i]) + added.values[i];
      sum += row[p][i];
    }
  }
  const float mean = ofWarp(sum) / WIDTH;
  float squares = 0.0f;
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    if (first + p * step >= WIDTH) continue;
#pragma unroll
    for (int i = 0; i < 4; i++) squares += (row[p][i] - mean) * (row[p][i] - mean);
  }
  const float scale = 1.0f / sqrtf(ofWarp(squares) / WIDTH + 1e-5f);
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    const int at = first + p * step;
    if (at >= WIDTH) continue;
    const Four<float> factor = *reinterpret_cast<const Four<float>*>(weight + at);
    const Four<float> offset = *reinterpret_cast<const Four<float>*>(bias + at);
    Four<V> normal;
#pragma unroll
    for (int i = 0; i < 4; i++)
      narrow((row[p][i] - mean) * scale * factor.values[i] + offset.values[i], normal.values[i]);
    *reinterpret_cast<Four<V>*>(y + at) = normal;
  }
}

}  // namespace parakeet_norm
