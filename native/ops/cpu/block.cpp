#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/block.h"

#include <algorithm>

#include "ops/cpu/aligned.h"
#include "ops/cpu/amx.h"
#include "ops/cpu/attention.h"
#include "ops/cpu/depthwise.h"
#include "ops/cpu/kernel.h"
#include "ops/cpu/matrix.h"
#include "ops/cpu/past_and_own.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/tile_attention.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/pool.h"
#include "ops/profile.h"

namespace parakeet::ops {
namespace {

// Bytes of intermediate memory that a thread keeps for the next block; anything beyond is freed.
constexpr size_t keptBytes = size_t{32} << 20;

// Rows that a thread takes through several operations at once: enough that reading the weights again for them costs
// little, and few enough that intermediate results stay in its core's cache. Below `least` a thread gets no rows of its
// own.
struct OwnRows {
  int usual, least;
};
constexpr OwnRows ownRows{32, 24};
// With AMX a product of less than some hundred rows takes no longer than reading its weights from memory.
constexpr OwnRows ownRowsWithMatrixUnits{192, 192};

// Fewer values than this do not justify waking another thread.
constexpr int grainValues = 8192;

// Where the kernel finds an item's arrays among its inputs and outputs; −1 for none.
struct ItemPlan {
  AttentionShape attention;
  int positions, keys = -1, values = -1, convolution = -1;
  std::optional<CacheUpdate> update{};
  int nextKeys = -1;  // then its values and its convolution
  int keptRows = 0;   // of keys and values
};

// One evaluation.
class Run {
 public:
  Run(const Block& block, const std::vector<ItemPlan>& items, int frames, int width,
      const std::vector<const float*>& inputs, const std::vector<float*>& outputs)
      : block_(block),
        items_(items),
        frames_(frames),
        stride_(width),
        inputs_(inputs),
        outputs_(outputs),
        y_(outputs[0]) {
    const size_t matrix = frames_ * stride_ * sizeof(float);
    thread_local AlignedBytes kept;
    AlignedBytes& memory = 4 * matrix > keptBytes ? own_ : kept;
    projected_ = static_cast<float*>(memory.grown(4 * matrix));
    mixed_ = projected_ + 3 * frames_ * stride_;
  }

  void all() {
    byRows([&](Rows rows) {
      phase(Part::feedForward, [&] { feedForward(block_.feedForward1, inputs_[0], rows); });
      phase(Part::attention, [&] { project(rows); });
    });
    phase(Part::attention, [&] { attention(); });
    byRows([&](Rows rows) {
      phase(Part::attention, [&] { add(block_.out, rows); });
      phase(Part::convolution, [&] { gate(rows); });
    });
    phase(Part::convolution, [&] { keepConvolution(); });
    byRows([&](Rows rows) {
      phase(Part::convolution, [&] {
        convolve(rows);
        add(block_.pointwise2, rows);
      });
      phase(Part::feedForward, [&] {
        feedForward(block_.feedForward2, y_, rows);
        normalize(rows);
      });
    });
  }

 private:
  // Where a thread gets enough rows, it takes its own through all operations, so that threads synchronise only four
  // times a block. Every thread then reads all weights; with few rows, therefore, all threads share each operation,
  // each with its part of the weights.
  template <class Body>
  void byRows(Body body) {
    const int threads = poolThreads();
    const OwnRows& own = block_.dtype != DType::float32 && amx::available() ? ownRowsWithMatrixUnits : ownRows;
    if (threads == 1 || frames_ < own.least * threads) return body(Rows{0, frames_});
    // The same number for each thread, so that all end together; several, so that a thread that loses its core takes
    // fewer.
    const int pieces = threads * std::max(1, frames_ / (threads * own.usual));
    parallelFor(pieces, 1, [&](int begin, int end) {
      for (int i = begin; i < end && !givenUp(); i++) {
        const auto edge = [&](int n) { return static_cast<int>(static_cast<int64_t>(frames_) * n / pieces); };
        body(Rows{edge(i), edge(i + 1) - edge(i)});
      }
    });
  }

  template <class Body>
  void phase(Part part, Body body) {
    if (givenUp()) return;
    const PartScope scope(part);
    const PartTimer timer(part);
    body();
  }

  MatrixInput normalized(const float* x, const Norm& norm, Rows rows) const {
    return {x + rows.first * stride_, stride_, rows.count, norm.weight.data<float>(), norm.bias.data<float>()};
  }
  // y += linear(mixed).
  void add(const Linear& linear, Rows rows) const {
    const size_t at = rows.first * stride_;
    linear.cpuMatrix()->multiply({mixed_ + at, stride_, rows.count},
                                 {y_ + at, stride_, 0, Activation::none, 1.0f, y_ + at});
  }

  void feedForward(const FeedForward& layer, const float* x, Rows rows) const {
    layer.up.cpuMatrix()->feedForward(*layer.down.cpuMatrix(), normalized(x, layer.norm, rows),
                                      y_ + rows.first * stride_, 0.5f);
  }

  const float* input(int index) const { return index < 0 ? nullptr : inputs_[index]; }

  // Queries, keys and values.
  void project(Rows rows) const {
    block_.queryKeyValue.cpuMatrix()->multiply(normalized(y_, block_.normAttention, rows),
                                               {projected_ + rows.first * stride_, stride_, frames_ * stride_});
  }

  void attention() const {
    std::vector<AttentionShape> shapes;
    std::vector<AttentionInput> attended;
    std::vector<Kept> kept;
    for (const ItemPlan& item : items_) {
      const size_t first = item.attention.queries.first * stride_, part = frames_ * stride_;
      const float* query = projected_ + first;
      shapes.push_back(item.attention);
      attended.push_back({query, query + part, query + 2 * part, input(item.keys), input(item.values),
                          inputs_[item.positions], block_.biasU.data<float>(), block_.biasV.data<float>(),
                          mixed_ + first});
      if (!item.update) continue;
      const int past = item.attention.past, own = item.attention.queries.count, end = item.update->commit;
      const int begin = end - item.keptRows;
      kept.push_back({{input(item.keys), query + part, past, own, stride_}, begin, end, outputs_[item.nextKeys]});
      kept.push_back(
          {{input(item.values), query + 2 * part, past, own, stride_}, begin, end, outputs_[item.nextKeys + 1]});
    }
    keep(kept);
    attend(shapes, attended, block_.dtype);
  }

  void gate(Rows rows) const {
    block_.pointwise1.cpuMatrix()->multiply(normalized(y_, block_.normConvolution, rows),
                                            {projected_ + rows.first * stride_, stride_, 0, Activation::glu});
  }

  void keepConvolution() const {
    const int before = block_.depthwise.before();
    std::vector<Kept> kept;
    for (const ItemPlan& item : items_) {
      if (!item.update) continue;
      const Rows rows = item.attention.queries;
      const int end = item.update->commit;
      kept.push_back({{input(item.convolution), projected_ + rows.first * stride_, before, rows.count, stride_},
                      end - before,
                      end,
                      outputs_[item.nextKeys + 2]});
    }
    keep(kept);
  }

  // Rows of a stream that its next step will want.
  struct Kept {
    PastAndOwn rows;
    int begin, end;
    float* to;
  };
  void keep(const std::vector<Kept>& all) const {
    if (all.empty()) return;
    const size_t values = (all.front().end - all.front().begin) * stride_;
    const int grain = static_cast<int>(grainValues / std::max<size_t>(values, 1)) + 1;
    parallelFor(static_cast<int>(all.size()), grain, [&](int begin, int end) {
      for (int i = begin; i < end; i++) all[i].rows.copy(all[i].begin, all[i].end, all[i].to);
    });
  }

  void convolve(Rows rows) const {
    std::vector<ConvolutionItem> convolved;
    for (const ItemPlan& item : items_) convolved.push_back({item.attention.queries, input(item.convolution)});
    const DepthwiseTaps taps = block_.depthwise.taps();
    inParts(rows, [&](Rows part) { convolveRows(taps, convolved, part, projected_, mixed_); });
  }

  void normalize(Rows rows) const {
    const float *weight = block_.normOut.weight.data<float>(), *bias = block_.normOut.bias.data<float>();
    inParts(rows, [&](Rows part) {
      float* at = y_ + part.first * stride_;
      layerNormRows(at, weight, bias, at, part.count, static_cast<int>(stride_));
    });
  }

  // For operations of one row after the other; they are split where all threads do one together.
  template <class Body>
  void inParts(Rows rows, Body body) const {
    const auto width = static_cast<int>(stride_);
    parallelFor(rows.count, std::max(1, grainValues / width), [&](int begin, int end) {
      body(Rows{rows.first + begin, end - begin});
    });
  }

  const Block& block_;
  const std::vector<ItemPlan>& items_;
  int frames_;
  size_t stride_;
  const std::vector<const float*>& inputs_;
  const std::vector<float*>& outputs_;
  AlignedBytes own_;
  float* projected_;  // queries, keys, values; later what the depthwise convolution reads
  float* mixed_;      // what attention and that convolution give
  float* y_;          // the residual stream, all along
};

}  // namespace

mx::array readablePositionsOnCpu(const Block& block, const mx::array& projected) {
  const ProductKind kind = attentionKind(block.dtype);
  const int rows = projected.shape(0), width = projected.shape(1), heads = block.heads;
  const int packedRows = positionPanels(rows) * tileColumns;
  const auto words = static_cast<int>(packedPositionsSize(kind, rows, width, heads) / packedRows);
  return cpuKernel("PackedPositions", {projected}, {packedRows, words},
                   [=](const std::vector<const float*>& inputs, float* output) {
                     packPositions(kind, inputs[0], rows, width, heads, output);
                   });
}

BlockOutput runBlockOnCpu(const std::shared_ptr<const Block>& block, const mx::array& x,
                          const std::vector<BlockItem>& items) {
  const int frames = x.shape(0), width = x.shape(1), before = block->depthwise.before();
  std::vector<mx::array> inputs{x};
  std::vector<mx::Shape> shapes{x.shape()};
  const auto give = [&](const std::optional<mx::array>& array) {
    if (!array || array->shape(0) == 0) return -1;
    inputs.push_back(*array);
    return static_cast<int>(inputs.size()) - 1;
  };
  std::vector<ItemPlan> plans;
  for (const BlockItem& item : items) {
    const int past = item.cache.keys ? item.cache.keys->shape(0) : 0;
    ItemPlan plan{
        {item.rows, past, width, block->heads, item.farthest, item.firstPosition, item.positions.shape(0), item.band},
        give(item.positions)};
    plan.keys = give(item.cache.keys);
    plan.values = give(item.cache.values);
    plan.convolution = give(item.cache.convolution);
    if (item.update) {
      plan.update = item.update;
      plan.nextKeys = static_cast<int>(shapes.size());
      plan.keptRows = std::min(item.update->capacity, past + item.update->commit);
      shapes.insert(shapes.end(), {{plan.keptRows, width}, {plan.keptRows, width}, {before, width}});
    }
    plans.push_back(plan);
  }
  // The block's own arrays are there since it was loaded; it lives as long as this kernel.
  const std::vector<mx::array> outputs =
      cpuKernels("ConformerBlock", std::move(inputs), std::move(shapes),
                 [=](const std::vector<const float*>& inputs, const std::vector<float*>& outputs) {
                   Run(*block, plans, frames, width, inputs, outputs).all();
                 });
  BlockOutput output{outputs[0], {}};
  for (size_t i = 0; i < items.size(); i++) {
    const int next = plans[i].nextKeys;
    output.caches.push_back(next < 0 ? items[i].cache
                                     : BlockCache{outputs[next], outputs[next + 1], outputs[next + 2]});
  }
  return output;
}

}  // namespace parakeet::ops

#endif
