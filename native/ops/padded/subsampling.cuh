// The depthwise convolutions of the subsampling as CUDA kernels. The first one takes the convolution before it along:
// what that gives, 8 × 64 values for each channel of an encoder frame, is never written.
//
// Compiled by NVRTC as the header of the kernels (subsampling_kernels.cpp), and by native/test for the CPU, where a
// block is one thread.
namespace parakeet_subsampling {

// Columns of a block's output. A thread has one channel and moves over them with what it still needs in registers.
constexpr int columnsOfBlock = 16;
// Values before each entry of `numbers` of an item: levels, rows and columns of the input, and of the output.
constexpr int sizes = 5;

using namespace parakeet_bits;

__device__ inline float rectified(float value) { return value > 0.0f ? value : 0.0f; }

// Of an item: the first row of a level (from 1 on) that is not padding, and the one after the last.
struct Rows {
  int begin, end;
  __device__ bool has(int row) const { return row >= begin && row < end; }
};
__device__ inline Rows rowsOf(const int* numbers, int item, int level) {
  const int* const own = numbers + sizes + (item * numbers[0] + level - 1) * 2;
  return {own[0], own[1]};
}

struct __align__(16) Four {
  float x, y, z, w;
};

// Of each output row the first convolution has three, each of which sees three log-mel rows.
__device__ inline float firstOf(const float* taps, float bias, const float* above, const float* at, const float* below) {
  float sum = bias;
#pragma unroll
  for (int k = 0; k < 3; k++) sum += taps[k] * above[k] + taps[3 + k] * at[k] + taps[6 + k] * below[k];
  return rectified(sum);
}

// The first convolution, relu, and the first depthwise convolution. A row of the first convolution that an item does
// not have, and a column beyond its width, is zero.
// mel: [items, rows, columns], 3 · PADDING zeros before the features and as many after them as the blocks' columns want.
// weights: [20, CHANNELS]: nine taps and the bias of the first convolution, nine and the bias of the second.
// y: [items, rows, columns, CHANNELS]. `numbers`: of the input the rows and columns of `mel`; then the rows of all levels.
// WIDTH: columns of the first convolution. V is bfloat16's bits or float.
template <int CHANNELS, int PADDING, int WIDTH, class V>
__device__ inline void firstTwo(const int* numbers, const V* mel, const float* weights, V* y) {
  // Of an output row r the log-mel rows 4r … 4r + 6.
  constexpr int melRows = 7, across = 4 * columnsOfBlock + 4;
  __shared__ __align__(16) float tile[melRows * across];
  const int rows = numbers[1], columns = numbers[2], highOut = numbers[3], acrossOut = numbers[4];
  const int item = blockIdx.z, row = blockIdx.y, firstColumn = blockIdx.x * columnsOfBlock;
  const Rows own = rowsOf(numbers, item, 1);
  mel += (static_cast<long>(item) * rows + 4 * row) * columns + 4 * firstColumn;
  for (int i = threadIdx.x; i < melRows * across; i += blockDim.x) {
    const int r = i / across, x = i % across;
    tile[i] = 4 * firstColumn + x < columns ? widened(mel[static_cast<long>(r) * columns + x]) : 0.0f;
  }
  __syncthreads();
  bool there[3];
#pragma unroll
  for (int r = 0; r < 3; r++) there[r] = own.has(2 * row + r);
  const int last = firstColumn + columnsOfBlock < acrossOut ? firstColumn + columnsOfBlock : acrossOut;
  y += (static_cast<long>(item) * highOut + row) * acrossOut * CHANNELS;

  for (int channel = threadIdx.x; channel < CHANNELS; channel += blockDim.x) {
    float first[9], second[9];
#pragma unroll
    for (int k = 0; k < 9; k++) {
      first[k] = weights[k * CHANNELS + channel];
      second[k] = weights[(10 + k) * CHANNELS + channel];
    }
    const float firstBias = weights[9 * CHANNELS + channel], secondBias = weights[19 * CHANNELS + channel];
    // Of each log-mel row the values 4c + 2 … 4c + 6 that the columns 2c + 1 and 2c + 2 of the first convolution see,
    // and what its column 2c gave.
    float seen[melRows][5], left[3];
    const auto value = [&](int r, int from, int column) {
      const bool inside = column >= 0 && column < WIDTH && there[r];
      return inside ? firstOf(first, firstBias, seen[2 * r] + from, seen[2 * r + 1] + from, seen[2 * r + 2] + from)
                    : 0.0f;
    };
#pragma unroll
    for (int r = 0; r < melRows; r++) {
      const Four own = *reinterpret_cast<const Four*>(tile + r * across);
      seen[r][0] = own.x;
      seen[r][1] = own.y;
      seen[r][2] = own.z;
      seen[r][3] = own.w;
    }
#pragma unroll
    for (int r = 0; r < 3; r++) left[r] = value(r, 0, 2 * firstColumn - PADDING);
#pragma unroll
    for (int r = 0; r < melRows; r++) {
      seen[r][0] = seen[r][2];
      seen[r][1] = seen[r][3];
    }
    for (int c = firstColumn; c < last; c++) {
#pragma unroll
      for (int r = 0; r < melRows; r++) {
        const Four next = *reinterpret_cast<const Four*>(tile + r * across + 4 * (c - firstColumn) + 4);
        seen[r][2] = next.x;
        seen[r][3] = next.y;
        seen[r][4] = next.z;
      }
      float sum = secondBias;
#pragma unroll
      for (int r = 0; r < 3; r++) {
        const float middle = value(r, 0, 2 * c + 1 - PADDING), right = value(r, 2, 2 * c + 2 - PADDING);
        sum += left[r] * second[3 * r] + middle * second[3 * r + 1] + right * second[3 * r + 2];
        left[r] = right;
      }
      narrow(sum, y[static_cast<long>(c) * CHANNELS + channel]);
      // The last two values of this step's four are the first two that the next step sees.
#pragma unroll
      for (int r = 0; r < melRows; r++) {
        seen[r][0] = seen[r][4];
        seen[r][1] = tile[r * across + 4 * (c - firstColumn) + 7];
      }
    }
  }
}

// A later depthwise convolution of what the level before gave: there a row that an item does not have is zero, as a
// column outside is, and the others are rectified. x: [items, rows, columns, CHANNELS], y alike, with the output's.
// `level`: the one of x. weights: [10, CHANNELS], nine taps and the bias.
template <int CHANNELS, int PADDING, class V>
__device__ inline void depthwise(const int* numbers, int level, const V* x, const float* weights, V* y) {
  const int rows = numbers[1], columns = numbers[2], highOut = numbers[3], acrossOut = numbers[4];
  const int item = blockIdx.z, row = blockIdx.y, firstColumn = blockIdx.x * columnsOfBlock;
  const Rows own = rowsOf(numbers, item, level);
  bool there[3];
#pragma unroll
  for (int r = 0; r < 3; r++) there[r] = own.has(2 * row + r);
  const int last = firstColumn + columnsOfBlock < acrossOut ? firstColumn + columnsOfBlock : acrossOut;
  x += (static_cast<long>(item) * rows + 2 * row) * columns * CHANNELS;
  y += (static_cast<long>(item) * highOut + row) * acrossOut * CHANNELS;
  for (int channel = threadIdx.x; channel < CHANNELS; channel += blockDim.x) {
    float taps[9];
#pragma unroll
    for (int k = 0; k < 9; k++) taps[k] = weights[k * CHANNELS + channel];
    const float bias = weights[9 * CHANNELS + channel];
    const auto value = [&](int r, int column) {
      const bool inside = column >= 0 && column < columns && there[r];
      return inside ? rectified(widened(x[(static_cast<long>(r) * columns + column) * CHANNELS + channel])) : 0.0f;
    };
    float left[3];
#pragma unroll
    for (int r = 0; r < 3; r++) left[r] = value(r, 2 * firstColumn - PADDING);
    for (int c = firstColumn; c < last; c++) {
      float sum = bias;
#pragma unroll
      for (int r = 0; r < 3; r++) {
        const float middle = value(r, 2 * c + 1 - PADDING), right = value(r, 2 * c + 2 - PADDING);
        sum += left[r] * taps[3 * r] + middle * taps[3 * r + 1] + right * taps[3 * r + 2];
        left[r] = right;
      }
      narrow(sum, y[static_cast<long>(c) * CHANNELS + channel]);
    }
  }
}

}  // namespace parakeet_subsampling
