#include "ops/padded/subsampling.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <future>
#include <utility>

#include "ops/convolved_size.h"
#include "ops/cpu/pointwise.h"
#include "ops/device.h"
#include "ops/pool.h"
#include "ops/transfer.h"

namespace parakeet::ops {
namespace {

// Frames that are subsampled at once. With 256 channels and 128 mel features, the first convolution gives 8 × 64 × 256
// values for each; the kernels write a quarter of the rows, of half the width.
constexpr int framesAtOnceInViews = 2048, framesAtOnceByKernels = 16384;
// Rows of log-mel that a thread copies at least, and threads at most.
constexpr int rowsOfThread = 4096, mostThreads = 8;

// Calls `body` for pieces of [0, count). Large ones get threads of their own: while a card encodes, the pool listens to
// the next recordings, and whoever finds it busy works by itself.
void inThreads(int count, const std::function<void(int begin, int end)>& body) {
  const int threads = onGpu() ? std::min({poolThreads(), count / rowsOfThread, mostThreads}) : 1;
  if (threads < 2) return body(0, count);
  std::vector<std::future<void>> working;
  for (int i = 0; i < threads; i++) {
    const auto at = [&](int part) { return static_cast<int>(int64_t{count} * part / threads); };
    working.push_back(std::async(std::launch::async, body, at(i), at(i + 1)));
  }
  for (std::future<void>& one : working) one.get();
}

// As many columns as the windows of `across` outputs of the first kernel's blocks have, four for each.
constexpr int columnsFor(int across) { return 4 * (across + 1); }

std::shared_ptr<const SubsamplingKernels> kernelsFor(int features, int channels, int padding,
                                                     const PaddedSubsampling::Convolution& first,
                                                     const std::vector<PaddedSubsampling::Stage>& stages,
                                                     mx::Dtype type) {
  const auto taps = [channels](const PaddedSubsampling::Convolution& of) {
    SubsamplingKernels::Taps all;
    for (int k = 0; k < 9; k++) {
      for (int c = 0; c < channels; c++) all.push_back(of.weight[static_cast<size_t>(c) * 9 + k]);
    }
    all.insert(all.end(), of.bias.begin(), of.bias.end());
    return all;
  };
  std::vector<SubsamplingKernels::Taps> depthwise;
  for (const PaddedSubsampling::Stage& stage : stages) depthwise.push_back(taps(stage.depthwise));
  return SubsamplingKernels::make(channels, padding, convolvedWidth(features, padding), taps(first), depthwise, type);
}

// A window of the first convolution: four rows and columns, so that a product's rows have an aligned length. Of them
// 3 × 3 are the kernel's, and one stands for the bias.
constexpr int window = 4, windowValues = window * window;

mx::array wide(const mx::array& x) { return mx::astype(x, mx::float32); }
mx::array relu(const mx::array& x) { return mx::maximum(x, mx::array(0.0f)); }

// Inputs: bias, nine views, nine taps.
Fused::Arrays nineTaps(const Fused::Arrays& in, bool rectified) {
  std::vector<mx::array> terms;
  for (size_t k = 0; k < 9; k++) {
    const mx::array x = wide(in[1 + k]);
    terms.push_back((rectified ? relu(x) : x) * wide(in[10 + k]));
  }
  const mx::array left = (terms[0] + terms[1]) + (terms[2] + terms[3]);
  const mx::array right = (terms[4] + terms[5]) + (terms[6] + terms[7]);
  return {mx::astype(left + right + (terms[8] + wide(in[0])), in[1].dtype())};
}

mx::array firstWeights(const PaddedSubsampling::Convolution& first, int channels, mx::Dtype type) {
  std::vector<float> values(static_cast<size_t>(windowValues) * channels);
  for (int c = 0; c < channels; c++) {
    for (int k = 0; k < 9; k++) values[(k / 3 * window + k % 3) * channels + c] = first.weight[c * 9 + k];
    values[(windowValues - 1) * channels + c] = first.bias[c];
  }
  return mx::astype(fromVector(values, {windowValues, channels}), type);
}

mx::array hasRow(const Fused::Arrays& in, size_t at) {
  return mx::logical_and(mx::greater_equal(in[at], in[at + 1]), mx::less(in[at], in[at + 2]));
}

mx::array insideColumns(int width, int padding) {
  const int columns = padding + width + 1;
  std::vector<float> there(static_cast<size_t>(columns), 1.0f);
  std::fill_n(there.begin(), padding, 0.0f);
  there.back() = 0;
  return mx::astype(fromVector(there, {columns, 1, 1}), mx::bool_);
}

mx::array biasTap() {
  std::vector<float> values(windowValues);
  values.back() = 1;
  return mx::reshape(mx::astype(fromVector(values, {windowValues}), mx::bool_), {window, window});
}

}  // namespace

PaddedSubsampling::PaddedSubsampling(int features, int channels, int padding, const Convolution& first,
                                     std::vector<Stage> stages, Dense out, DType dtype, mx::Dtype melType)
    : features_(features),
      channels_(channels),
      padding_(padding),
      levels_(static_cast<int>(stages.size()) + 1),
      type_(activationType(dtype)),
      melType_(melType),
      first_(firstWeights(first, channels, type_)),
      biasTap_(biasTap()),
      inside_(insideColumns(convolvedWidth(features, padding), padding)),
      kernels_(kernelsFor(features, channels, padding, first, stages, type_)),
      framesAtOnce_(kernels_ ? framesAtOnceByKernels : framesAtOnceInViews),
      out_(std::move(out)),
      window_([](const Fused::Arrays& in) -> Fused::Arrays {
        // window, whether its column is not padding, where the bias stands
        const mx::array there = mx::logical_and(in[1], hasRow(in, 3));
        const mx::array one = mx::array(1.0f, in[0].dtype()), zero = mx::array(0.0f, in[0].dtype());
        return {mx::where(there, mx::where(in[2], one, in[0]), zero)};
      }),
      rectified_([](const Fused::Arrays& in) { return nineTaps(in, true); }),
      plain_([](const Fused::Arrays& in) { return nineTaps(in, false); }),
      masked_([](const Fused::Arrays& in) -> Fused::Arrays {
        const mx::array zero(0.0f, in[0].dtype());
        return {mx::where(hasRow(in, 1), mx::maximum(in[0], zero), zero)};
      }) {
  std::vector<mx::array> made{first_, biasTap_, inside_};
  for (Stage& stage : stages) {
    Kernel kernel{{}, mx::astype(fromVector(stage.depthwise.bias, {channels}), type_)};
    for (int k = 0; k < 9; k++) {
      std::vector<float> tap(channels);
      for (int c = 0; c < channels; c++) tap[c] = stage.depthwise.weight[c * 9 + k];
      kernel.taps.push_back(mx::astype(fromVector(tap, {channels}), type_));
    }
    made.push_back(kernel.bias);
    made.insert(made.end(), kernel.taps.begin(), kernel.taps.end());
    stages_.push_back({std::move(kernel), std::move(stage.pointwise)});
  }
  mx::eval(made);
}

// Every item has room for the rows before its first frame. At a signal's start they are padding; where frames are
// skipped, the first of them end before the room begins.
PaddedSubsampling::Rows PaddedSubsampling::rowsAt(const MelPiece& piece, int level) const {
  int count = piece.count;
  for (int i = 0; i < level; i++) count = convolvedHeight(count, piece.atStart ? padding_ : 0, piece.atEnd ? 1 : 0);
  const int begin = piece.atStart ? before(level) - (piece.skip << (levels_ - level)) : 0;
  return {std::max(0, begin), begin + count};
}

int PaddedSubsampling::framesOf(const MelPiece& piece) const {
  const Rows rows = rowsAt(piece, levels_);
  return rows.end - rows.begin;
}

std::vector<int32_t> PaddedSubsampling::limits(const std::vector<MelPiece>& pieces) const {
  std::vector<int32_t> values;
  for (const MelPiece& piece : pieces) {
    for (int level = 1; level <= levels_; level++) {
      const auto [begin, end] = rowsAt(piece, level);
      values.insert(values.end(), {begin, end});
    }
  }
  return values;
}

mx::array PaddedSubsampling::convolveByKernels(const std::vector<MelPiece>& pieces, int frames) const {
  const int items = static_cast<int>(pieces.size()), rows = (frames << levels_) + (1 << levels_);
  const std::vector<int32_t> limits = this->limits(pieces);
  int height = ((rows - 2) / 2 - 1) / 2, width = convolvedWidth(convolvedWidth(features_, padding_), padding_);
  const int zeros = 3 * padding_, columns = std::max(columnsFor(width), zeros + features_);
  // In the card's memory: the kernel reads each value several times.
  const mx::array mel = mx::astype(melOf(pieces, rows, zeros, columns), type_) + mx::array(0, type_);
  mx::array y = kernels_->firstTwo({levels_, rows, columns, height, width}, limits, mel);
  for (int level = 2;; level++) {
    y = mx::reshape(stages_[level - 2].pointwise(mx::reshape(y, {-1, channels_})), {items, height, width, channels_});
    if (level == levels_) break;
    const SubsamplingKernels::Sizes sizes{levels_, height, width, (height - 1) / 2, convolvedWidth(width, padding_)};
    y = kernels_->depthwise(sizes, limits, level + 1, y);
    height = sizes.rowsOut;
    width = sizes.columnsOut;
  }
  const mx::array each = uploaded(limits, {items, levels_, 2});
  const auto limit = [&](int which) {
    return mx::reshape(mx::slice(each, {0, levels_ - 1, which}, {items, levels_, which + 1}), {items, 1, 1, 1});
  };
  const mx::array numbers = mx::reshape(mx::arange(0, height, mx::int32), {1, height, 1, 1});
  return mx::reshape(masked_({y, numbers, limit(0), limit(1)}), {items * height, width * channels_});
}

mx::array PaddedSubsampling::convolve(const std::vector<MelPiece>& pieces, int frames) const {
  if (kernels_) return convolveByKernels(pieces, frames);
  const int items = static_cast<int>(pieces.size());
  int height = (frames << levels_) + (1 << levels_) - 1, width = convolvedWidth(features_, padding_);
  const int rows = height + 1;
  const mx::array limits = uploaded(this->limits(pieces), {items, levels_, 2});
  // A level's rows: their numbers, and of each item the first one and the one after the last.
  const auto rowsOf = [&](int level, int count, int dimensions) -> Fused::Arrays {
    mx::Shape numbers(static_cast<size_t>(dimensions), 1), each = numbers;
    numbers[1] = count;
    each[0] = items;
    const auto limit = [&](int which) {
      return mx::reshape(mx::slice(limits, {0, level - 1, which}, {items, level, which + 1}), each);
    };
    return {mx::reshape(mx::arange(0, count, mx::int32), numbers), limit(0), limit(1)};
  };
  // Zeros before the features for the first convolution's padding and for the windows of the next one's, and enough
  // after them.
  const int zeros = 3 * padding_, columns = 2 * (width + padding_) + window;
  const mx::array mel = mx::pad(mx::astype(melOf(pieces, rows, 0, features_), type_),
                                {{0, 0}, {0, 0}, {zeros, columns - zeros - features_}});
  height = (height - 1) / 2;
  const mx::array windows =
      mx::as_strided(mel, {items, height, padding_ + width + 1, window, window},
                     {static_cast<int64_t>(rows) * columns, int64_t{2} * columns, 2, columns, 1}, 0);
  Fused::Arrays cut{windows, inside_, biasTap_};
  const Fused::Arrays first = rowsOf(1, height, 5);
  cut.insert(cut.end(), first.begin(), first.end());
  mx::array y = mx::reshape(mx::matmul(mx::reshape(window_(cut), {-1, windowValues}), first_),
                            {items, height, padding_ + width + 1, channels_});
  const auto mask = [&](const mx::array& x, int level) {
    const Fused::Arrays own = rowsOf(level, height, 4);
    return masked_({x, own[0], own[1], own[2]});
  };
  for (int level = 2; level <= levels_; level++) {
    const Level& stage = stages_[level - 2];
    const int high = (height - 1) / 2, across = convolvedWidth(width, padding_);
    Fused::Arrays inputs{stage.depthwise.bias};
    for (int k = 0; k < 9; k++) {
      const int r = k / 3, c = k % 3;
      inputs.push_back(
          mx::slice(y, {0, r, c, 0}, {items, r + 2 * high - 1, c + 2 * across - 1, channels_}, {1, 2, 2, 1}));
    }
    inputs.insert(inputs.end(), stage.depthwise.taps.begin(), stage.depthwise.taps.end());
    const mx::array convolved = level == 2 ? rectified_(inputs) : plain_(inputs);
    height = high;
    width = across;
    y = mx::reshape(stage.pointwise(mx::reshape(convolved, {-1, channels_})), {items, height, width, channels_});
    y = mask(y, level);
    if (level < levels_) y = mx::pad(y, {{0, 0}, {0, 0}, {padding_, 1}, {0, 0}});
  }
  if (levels_ == 1) y = mask(mx::slice(y, {0, 0, padding_, 0}, {items, height, padding_ + width, channels_}), 1);
  return mx::reshape(y, {items * height, width * channels_});
}

mx::array PaddedSubsampling::melOf(const std::vector<MelPiece>& pieces, int rows, int zeros, int columns) const {
  const int items = static_cast<int>(pieces.size());
  const auto fill = [&](auto* to, auto copy) {
    inThreads(items * rows, [&](int begin, int end) {
      for (int at = begin; at < end; at++) {
        const MelPiece& piece = pieces[at / rows];
        const int row = at % rows - rowsAt(piece, 0).begin;
        auto* const own = to + static_cast<size_t>(at) * columns;
        const bool there = row >= 0 && row < piece.count;
        std::fill_n(own, there ? zeros : columns, 0);
        if (!there) continue;
        copy(piece.rows + static_cast<size_t>(row) * features_, own + zeros, static_cast<size_t>(features_));
        std::fill(own + zeros + features_, own + columns, 0);
      }
    });
  };
  // What the device reads from the host's memory is slow to come, so it is small and in one piece.
  if (melType_ == mx::bfloat16)
    return uploadedBits({items, rows, columns}, [&](uint16_t* to) {
      fill(to, [](const float* from, uint16_t* own, size_t count) { toBfloat16(from, own, count); });
    });
  return uploaded({items, rows, columns}, [&](float* to) {
    fill(to, [](const float* from, float* own, size_t count) { std::copy_n(from, count, own); });
  });
}

mx::array PaddedSubsampling::operator()(const std::vector<MelPiece>& pieces, int frames) const {
  std::vector<mx::array> parts;
  if (frames > framesAtOnce_) {
    for (const MelPiece& piece : pieces) parts.push_back(inPieces(piece, frames));
    return parts.size() == 1 ? parts[0] : mx::concatenate(parts, 0);
  }
  const size_t most = std::max(1, framesAtOnce_ / std::max(1, frames));
  for (size_t first = 0; first < pieces.size(); first += most) {
    const auto begin = pieces.begin() + static_cast<ptrdiff_t>(first);
    const std::vector<MelPiece> own(begin, begin + static_cast<ptrdiff_t>(std::min(most, pieces.size() - first)));
    parts.push_back(out_(convolve(own, frames)));
    // Not all of the convolutions in memory at once.
    if (pieces.size() > most) mx::async_eval(parts.back());
  }
  return parts.size() == 1 ? parts[0] : mx::concatenate(parts, 0);
}

mx::array PaddedSubsampling::inPieces(const MelPiece& piece, int frames) const {
  const int factor = 1 << levels_, all = framesOf(piece);
  const int before = rowsAt(piece, 0).begin;
  std::vector<mx::array> parts;
  for (int first = 0; first < frames; first += framesAtOnce_) {
    const int until = std::min(all, first + framesAtOnce_);
    const int begin = std::max(0, first * factor - before),
              end = until == all ? piece.count : until * factor - before + factor - 1;
    const bool start = piece.atStart && first == 0;
    const MelPiece own{piece.rows + static_cast<size_t>(begin) * features_, std::max(0, end - begin), start,
                       piece.atEnd && until == all, start ? piece.skip : 0};
    parts.push_back(first < all ? out_(convolve({own}, framesAtOnce_))
                                : mx::zeros({framesAtOnce_, parts[0].shape(1)}, parts[0].dtype()));
    mx::eval(parts.back());
  }
  const mx::array joined = mx::concatenate(parts, 0);
  return mx::slice(joined, {0, 0}, {frames, joined.shape(1)});
}

}  // namespace parakeet::ops
