// The gate and the depthwise convolution of a Conformer's block as one CUDA kernel: the gated frames are never written,
// but for those that a stream keeps. A thread has one channel and some frames in a row, and moves over them with the
// values that it still needs in registers.
//
// Compiled by NVRTC as the header of a kernel (gated_convolution.cpp), and by native/test for the CPU.
namespace parakeet_convolution {

// Frames of a thread: the more, the fewer are gated twice, and the fewer threads there are.
constexpr int framesOfThread = 16;

using namespace parakeet_bits;

// As what is written and read again would be.
template <class V>
__device__ inline float rounded(float value) {
  V narrowed;
  narrow(value, narrowed);
  return widened(narrowed);
}

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// numbers: frames of an item, whether there is a past, whether `convolved` is wanted; then of each item how many of its
// frames are there. both: [items, frames, 2 · WIDTH], values and their gates. past: [items, BEFORE, WIDTH], the gated
// frames before. taps: [KERNEL, WIDTH]. bias: [WIDTH].
// convolved: [items, BEFORE + frames + KERNEL − 1 − BEFORE, WIDTH], the convolution's input. y: [items, frames, WIDTH],
// silu(Σ convolved · tap + bias). V is bfloat16's bits or float.
template <int WIDTH, int KERNEL, int BEFORE, class V>
__device__ inline void convolve(const int* numbers, const V* both, const V* past, const float* taps, const float* bias,
                                V* convolved, V* y) {
  const int frames = numbers[0], item = blockIdx.z, count = numbers[3 + item];
  const bool hasPast = numbers[1] != 0, keeps = numbers[2] != 0;
  const int channel = blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * framesOfThread;
  if (channel >= WIDTH || first >= frames) return;
  const int rows = frames + KERNEL - 1, last = first + framesOfThread < frames ? first + framesOfThread : frames;
  // The rows behind the last frame are the last thread's.
  const int ownRows = last == frames ? rows : last;
  both += static_cast<long>(item) * frames * 2 * WIDTH + channel;
  past += static_cast<long>(item) * BEFORE * WIDTH + channel;
  convolved += static_cast<long>(item) * rows * WIDTH + channel;
  y += static_cast<long>(item) * frames * WIDTH + channel;

  float tap[KERNEL], window[KERNEL];
#pragma unroll
  for (int k = 0; k < KERNEL; k++) {
    tap[k] = taps[k * WIDTH + channel];
    window[k] = 0.0f;
  }
  const float offset = bias[channel];
  for (int row = first; row < last + KERNEL - 1; row++) {
    const int frame = row - BEFORE;
    float value = 0.0f;
    if (frame < 0) {
      if (hasPast) value = widened(past[static_cast<long>(row) * WIDTH]);
    } else if (frame < count) {
      const V* own = both + static_cast<long>(frame) * 2 * WIDTH;
      value = rounded<V>(widened(own[0]) * sigmoid(widened(own[WIDTH])));
    }
    if (keeps && row < ownRows) narrow(value, convolved[static_cast<long>(row) * WIDTH]);
#pragma unroll
    for (int k = 0; k + 1 < KERNEL; k++) window[k] = window[k + 1];
    window[KERNEL - 1] = value;
    const int at = row - (KERNEL - 1);
    if (at < first) continue;
    float sum = 0.0f;
#pragma unroll
    for (int k = 0; k < KERNEL; k++) sum += window[k] * tap[k];
    sum += offset;
    narrow(sum * sigmoid(sum), y[static_cast<long>(at) * WIDTH]);
  }
}

}  // namespace parakeet_convolution
