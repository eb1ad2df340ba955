#include "ops/cpu/convolution.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

// Rows of output that are finished for all channels before the next ones: a cache line of an array that is not aligned
// belongs to two registers' channels, and should still be near for the second.
constexpr int blockRows = 32;

// The weights of a register's channels. No loops over the taps, here and below: arrays become registers only where
// every index is a constant from the start.
template <class V>
struct Taps {
  typename V::Floats bias, tap[9];

  static PARAKEET_INLINE Taps load(const Convolution3x3& convolution, int at, int n) {
    const float* taps = convolution.taps.data() + at;
    const auto tap = [&](int index) PARAKEET_LAMBDA {
      return V::load(taps + static_cast<size_t>(index) * convolution.channels, n);
    };
    return {V::load(convolution.bias.data() + at, n),
            {tap(0), tap(1), tap(2), tap(3), tap(4), tap(5), tap(6), tap(7), tap(8)}};
  }
};

// One row of output for n channels, pixels at y, y + yStep, … The rows of input begin with the pixel before the first:
// a register each (`step` is V::lanes), or one number for all channels (`step` is 1). What is less than `least` becomes
// it: 0 for ReLU.
template <class V, int step>
PARAKEET_INLINE void convolveRow(const Taps<V>& taps, const float* above, const float* centre, const float* below,
                                 int columns, float least, float* y, ptrdiff_t yStep, int n) {
  const auto pixel = [](const float* x) PARAKEET_LAMBDA {
    if constexpr (step == 1)
      return *x;
    else
      return V::load(x);
  };
  const typename V::Floats lowest = V::broadcast(least);
  for (int column = 0; column < columns; column++) {
    typename V::Floats total = taps.bias;
    total += pixel(above) * taps.tap[0];
    total += pixel(above + step) * taps.tap[1];
    total += pixel(above + 2 * step) * taps.tap[2];
    total += pixel(centre) * taps.tap[3];
    total += pixel(centre + step) * taps.tap[4];
    total += pixel(centre + 2 * step) * taps.tap[5];
    total += pixel(below) * taps.tap[6];
    total += pixel(below + step) * taps.tap[7];
    total += pixel(below + 2 * step) * taps.tap[8];
    V::store(y, V::largest(lowest, total), n);
    above += 2 * step;
    centre += 2 * step;
    below += 2 * step;
    y += yStep;
  }
}

// The input of a convolution, and which rows of its output are wanted.
struct Job {
  const float* x;
  float* output;  // from row `begin` on
  int height, width, top, begin, end;
  Activation activation;

  float least() const { return activation == Activation::relu ? 0.0f : -std::numeric_limits<float>::infinity(); }
};

// Three rows of a depthwise convolution's input for a register's channels, row r at the place r % 3, and a row of zeros
// for what lies beyond the height. Each has zeros before and after its width, so that no column is at an edge.
class RollingRows {
 public:
  RollingRows(int width, int before) : registers_(static_cast<size_t>(4) * (width + before + 1)) {}
  float* data() { return registers_.front().values; }

 private:
  struct alignas(64) Register {
    float values[16] = {};
  };
  std::vector<Register> registers_;
};

// `produce(row, to)` writes a row of the input, pixels V::lanes apart.
template <class V, class Produce>
PARAKEET_INLINE void convolveDepthwise(const Convolution3x3& convolution, const Job& job, float* rolling, int at, int n,
                                       Produce produce) {
  const int before = convolution.before, columns = convolvedWidth(job.width, before);
  const ptrdiff_t channels = convolution.channels, size = static_cast<ptrdiff_t>(job.width + before + 1) * V::lanes;
  const Taps<V> taps = Taps<V>::load(convolution, at, n);
  int next = std::max(0, 2 * job.begin - job.top);  // the first row that is not there yet
  for (int row = job.begin; row < job.end; row++) {
    const int first = 2 * row - job.top;
    for (; next < std::min(first + 3, job.height); next++) produce(next, rolling + next % 3 * size + before * V::lanes);
    const auto source = [&](int wanted) PARAKEET_LAMBDA {
      return rolling + (wanted < 0 || wanted >= job.height ? 3 : wanted % 3) * size;
    };
    convolveRow<V, V::lanes>(taps, source(first), source(first + 1), source(first + 2), columns, job.least(),
                             job.output + (row - job.begin) * columns * channels + at, channels, n);
  }
}

template <class V>
PARAKEET_INLINE void convolveImageBody(const Convolution3x3& convolution, const Job& job, float* rolling) {
  const ptrdiff_t channels = convolution.channels;
  pieces<V>(convolution.channels, [&](int at, int n) PARAKEET_LAMBDA {
    const auto copy = [&](int row, float* to) PARAKEET_LAMBDA {
      const float* x = job.x + static_cast<ptrdiff_t>(row) * job.width * channels + at;
      for (int column = 0; column < job.width; column++, x += channels, to += V::lanes) V::store(to, V::load(x, n));
    };
    convolveDepthwise<V>(convolution, job, rolling, at, n, copy);
  });
}
PARAKEET_VERSIONS(convolveImage, (const Convolution3x3& convolution, const Job& job, float* rolling),
                  (convolution, job, rolling))

// Rows of an image of one channel with zeros to both sides, and rows of zeros beyond its height.
class PaddedRows {
 public:
  PaddedRows(const float* x, int height, int width, int before, int first, int count)
      : size_(width + before + 1), first_(first), values_(size_ * count) {
    for (int row = std::max(0, first); row < std::min(height, first + count); row++)
      std::copy_n(x + static_cast<size_t>(row) * width, width, values_.begin() + (row - first) * size_ + before);
  }
  // Where the zeros before row `row` are.
  PARAKEET_INLINE const float* row(int row) const { return values_.data() + (row - first_) * size_; }

 private:
  ptrdiff_t size_;
  int first_;
  std::vector<float> values_;
};

// From one channel to many: a row of output, whose rows of input are `first` and the two after it.
template <class V>
PARAKEET_INLINE void spreadRow(const Taps<V>& taps, const PaddedRows& x, int first, int columns, float least, float* y,
                               ptrdiff_t yStep, int n) {
  convolveRow<V, 1>(taps, x.row(first), x.row(first + 1), x.row(first + 2), columns, least, y, yStep, n);
}

template <class V>
PARAKEET_INLINE void spreadImageBody(const Convolution3x3& convolution, const PaddedRows& x, const Job& job) {
  const ptrdiff_t channels = convolution.channels;
  const int columns = convolvedWidth(job.width, convolution.before);
  pieces<V>(convolution.channels, [&](int at, int n) PARAKEET_LAMBDA {
    const Taps<V> taps = Taps<V>::load(convolution, at, n);
    for (int row = job.begin; row < job.end; row++) {
      spreadRow<V>(taps, x, 2 * row - job.top, columns, job.least(),
                   job.output + (row - job.begin) * columns * channels + at, channels, n);
    }
  });
}
PARAKEET_VERSIONS(spreadImage, (const Convolution3x3& convolution, const PaddedRows& x, const Job& job),
                  (convolution, x, job))

// `x` is the input of `first`, `job` what `depthwise` has to do; its input is made row by row.
template <class V>
PARAKEET_INLINE void convolveBothBody(const Convolution3x3& first, const Convolution3x3& depthwise, const PaddedRows& x,
                                      const Job& job, float* rolling) {
  pieces<V>(first.channels, [&](int at, int n) PARAKEET_LAMBDA {
    const Taps<V> taps = Taps<V>::load(first, at, n);
    const auto produce = [&](int row, float* to) PARAKEET_LAMBDA {
      spreadRow<V>(taps, x, 2 * row - job.top, job.width, 0.0f, to, V::lanes, V::lanes);
    };
    convolveDepthwise<V>(depthwise, job, rolling, at, n, produce);
  });
}
PARAKEET_VERSIONS(convolveBoth,
                  (const Convolution3x3& first, const Convolution3x3& depthwise, const PaddedRows& x, const Job& job,
                   float* rolling),
                  (first, depthwise, x, job, rolling))

// Calls `body` with the job in blocks.
template <class Body>
void inBlocks(Job job, const Convolution3x3& convolution, Body body) {
  const ptrdiff_t row = static_cast<ptrdiff_t>(convolvedWidth(job.width, convolution.before)) * convolution.channels;
  for (const int end = job.end; job.begin < end; job.begin = job.end) {
    job.end = std::min(end, job.begin + blockRows);
    body(job);
    job.output += (job.end - job.begin) * row;
  }
}

// The rows of input that output rows [begin, end) see.
PaddedRows paddedInput(const float* x, int height, int width, int before, int top, int begin, int end) {
  return {x, height, width, before, 2 * begin - top, 2 * (end - begin) + 1};
}

}  // namespace

void Convolution3x3::run(const float* x, float* output, int height, int width, int top, int begin, int end,
                         Activation activation) const {
  const Job whole{x, output, height, width, top, begin, end, activation};
  if (depthwise) {
    RollingRows rolling(width, before);
    inBlocks(whole, *this, [&](const Job& job) { convolveImage(*this, job, rolling.data()); });
  } else {
    const PaddedRows padded = paddedInput(x, height, width, before, top, begin, end);
    inBlocks(whole, *this, [&](const Job& job) { spreadImage(*this, padded, job); });
  }
}

void convolveTwice(const Convolution3x3& first, const Convolution3x3& depthwise, const float* x, float* output,
                   int height, int width, int top, int bottom, int begin, int end) {
  const int before = first.before;
  const int betweenHeight = convolvedHeight(height, top, bottom), betweenWidth = convolvedWidth(width, before);
  const PaddedRows padded = paddedInput(x, height, width, before, top, 2 * begin - top, 2 * end - top + 1);
  RollingRows rolling(betweenWidth, before);
  inBlocks({nullptr, output, betweenHeight, betweenWidth, top, begin, end, Activation::none}, depthwise,
           [&](const Job& job) { convolveBoth(first, depthwise, padded, job, rolling.data()); });
}

}  // namespace parakeet::ops
