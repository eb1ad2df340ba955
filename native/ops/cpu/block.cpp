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

// What a log has room for after the step that makes it: two more steps, but at least an eighth of what it keeps, which
// is copied when it is full, and at most a quarter.
int roomFor(int kept, int commit) { return std::max(kept / 8, std::min(2 * commit, kept / 4)); }

// Where the kernel finds an item's arrays among its inputs and outputs; −1 for none.
struct ItemPlan {
  AttentionShape attention;
  int positions, convolution = -1;
  int commit = 0;            // frames that become past
  int nextConvolution = -1;  // none: nothing is kept
  LogPlan logged{};
};

KeyValueShape shapeOf(const Block& block) {
  return {attentionKind(block.dtype), block.heads, block.biasU.shape(0) / block.heads};
}

// Plans where a step of `frames` frames packs its keys and values. Gives what is past afterwards, but for the
// convolution.
BlockPast planLog(const Block& block, const BlockPast& past, const CacheUpdate& update, int frames, LogPlan& plan) {
  const int kept = std::min(update.capacity, past.frames() + update.commit);
  if (kept + past.frames() == 0) return {};
  plan.log = past.log;
  plan.past = past.begin;
  if (!past.log || !past.log->canWrite(past.end, frames)) {
    // Rows keep their place in a panel.
    plan.past = past.begin % tileColumns;
    plan.moved = past.log;
    plan.movedFrom = past.begin - plan.past;
    // The same in whichever place: logs of one size take each other's memory.
    const int room = tileColumns - 1 + past.frames() + frames + roomFor(kept, update.commit);
    plan.log = std::make_shared<KeyValueLog>(shapeOf(block), room);
  }
  plan.own = plan.past + past.frames();
  const int end = plan.own + update.commit;
  plan.log->claim(end);
  return {plan.log, end - kept, end, {}};
}

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
    for (const ItemPlan& item : items_) {
      const size_t first = item.attention.queries.first * stride_, part = frames_ * stride_;
      const float* query = projected_ + first;
      shapes.push_back(item.attention);
      attended.push_back({query, query + part, query + 2 * part, &item.logged, inputs_[item.positions],
                          block_.biasU.data<float>(), block_.biasV.data<float>(), mixed_ + first});
    }
    block_.out.cpuMatrix()->willMultiply();
    attend(shapes, attended, block_.dtype);
  }

  void gate(Rows rows) const {
    block_.pointwise1.cpuMatrix()->multiply(normalized(y_, block_.normConvolution, rows),
                                            {projected_ + rows.first * stride_, stride_, 0, Activation::glu});
  }

  // What the convolution of the next step looks back at.
  void keepConvolution() const {
    const int before = block_.depthwise.before();
    const int grain = static_cast<int>(grainValues / std::max<size_t>(before * stride_, 1)) + 1;
    parallelFor(static_cast<int>(items_.size()), grain, [&](int begin, int end) {
      for (int i = begin; i < end; i++) {
        const ItemPlan& item = items_[i];
        if (item.nextConvolution < 0) continue;
        const Rows rows = item.attention.queries;
        const PastAndOwn inputs{input(item.convolution), projected_ + rows.first * stride_, before, rows.count,
                                stride_};
        inputs.copy(item.commit - before, item.commit, outputs_[item.nextConvolution]);
      }
    });
  }

  void convolve(Rows rows) const {
    std::vector<ConvolutionItem> convolved;
    for (const ItemPlan& item : items_) convolved.push_back({item.attention.queries, input(item.convolution)});
    const DepthwiseTaps taps = block_.depthwise.taps();
    inParts(rows, [&](Rows part) { convolveRows(taps, convolved, part, projected_, mixed_); });
  }

  void normalize(Rows rows) const {
    if (block_.following) block_.following->cpuMatrix()->willMultiply();
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

BlockPast pastOnCpu(const Block& block, const BlockCache& cache) {
  BlockPast past{nullptr, 0, 0, cache.convolution};
  if (!cache.keys || cache.keys->shape(0) == 0) return past;
  const mx::array keys = mx::contiguous(*cache.keys), values = mx::contiguous(*cache.values);
  mx::eval(keys, values);
  const KeyValueShape shape = shapeOf(block);
  past.begin = static_cast<int>(static_cast<uint32_t>(cache.place) % tileColumns);
  past.end = past.begin + keys.shape(0);
  past.log = std::make_shared<KeyValueLog>(shape, past.end);
  const std::vector<float> zeros(shape.size);
  for (int head = 0; head < shape.heads; head++) {
    const ptrdiff_t first = static_cast<ptrdiff_t>(head) * shape.size;
    // What lies before them in their panel is multiplied too, with zeros.
    past.log->write(head, 0, past.begin, zeros.data(), zeros.data(), 0);
    past.log->write(head, past.begin, keys.shape(0), keys.data<float>() + first, values.data<float>() + first,
                    keys.shape(1));
  }
  past.log->claim(past.end);
  return past;
}

BlockCache cacheOfCpu(const BlockPast& past, int width) {
  if (!past.convolution) return {};
  std::vector<float> keys(static_cast<size_t>(past.frames()) * width), values(keys.size());
  if (past.log) past.log->read(past.begin, past.frames(), keys.data(), values.data());
  const mx::Shape shape{past.frames(), width};
  return {.keys = mx::array(keys.begin(), shape),
          .values = mx::array(values.begin(), shape),
          .place = past.begin % tileColumns,
          .convolution = past.convolution};
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
  std::vector<BlockPast> pasts;
  for (const BlockItem& item : items) {
    ItemPlan plan{{item.rows, item.past.frames(), width, block->heads, item.farthest, item.firstPosition,
                   item.positions.shape(0), item.band},
                  give(item.positions)};
    plan.convolution = give(item.past.convolution);
    pasts.push_back(item.past);
    if (item.update) {
      plan.commit = item.update->commit;
      plan.nextConvolution = static_cast<int>(shapes.size());
      shapes.push_back({before, width});
      pasts.back() = planLog(*block, item.past, *item.update, item.rows.count, plan.logged);
    }
    plans.push_back(std::move(plan));
  }
  // The block's own arrays are there since it was loaded; it lives as long as this kernel.
  const std::vector<mx::array> outputs =
      cpuKernels("ConformerBlock", std::move(inputs), std::move(shapes),
                 [=](const std::vector<const float*>& inputs, const std::vector<float*>& outputs) {
                   Run(*block, plans, frames, width, inputs, outputs).all();
                 });
  for (size_t i = 0; i < items.size(); i++)
    if (plans[i].nextConvolution >= 0) pasts[i].convolution = outputs[plans[i].nextConvolution];
  return {outputs[0], std::move(pasts)};
}

}  // namespace parakeet::ops

#endif
