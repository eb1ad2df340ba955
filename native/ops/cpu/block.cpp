#ifdef PARAKEET_ONEDNN

#include "ops/cpu/block.h"

#include <algorithm>
#include <cstring>

#include "ops/cpu/aligned.h"
#include "ops/cpu/attention.h"
#include "ops/cpu/depthwise.h"
#include "ops/cpu/kernel.h"
#include "ops/cpu/matrix.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"
#include "ops/profile.h"

namespace parakeet::ops {
namespace {

// Bytes of memory between the operations that a thread keeps for the next block; more is given back.
constexpr size_t keptBytes = size_t{32} << 20;

// Where the kernel finds an item's arrays among its inputs and outputs; −1 for none.
struct ItemPlan {
  AttentionShape attention;
  int firstPosition;
  int positions, keys = -1, values = -1, convolution = -1;
  std::optional<CacheUpdate> update;
  int nextKeys = -1;  // then its values and its convolution
  int keptRows = 0;   // of keys and values
};

// Rows of which some come before the item's own.
struct PastAndOwn {
  const float *past, *own;
  int pastRows;  // row −pastRows is the first of them
  size_t width;

  // Copies rows [begin, end); row 0 is the first of the item's own. Where there is nothing, zeros.
  void copy(int begin, int end, float* to) const {
    for (int row = begin; row < end; row++, to += width) {
      const ptrdiff_t stride = static_cast<ptrdiff_t>(width);
      const float* from = row >= 0 ? own + row * stride : past ? past + (pastRows + row) * stride : nullptr;
      from ? std::memcpy(to, from, width * sizeof(float)) : std::memset(to, 0, width * sizeof(float));
    }
  }
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
    phase(Part::feedForward, [&] { feedForward(block_.feedForward1, inputs_[0]); });
    phase(Part::attention, [&] { attention(); });
    phase(Part::convolution, [&] { convolution(); });
    phase(Part::feedForward, [&] {
      feedForward(block_.feedForward2, y_);
      normalize();
    });
  }

 private:
  template <class Body>
  void phase(Part part, Body body) {
    if (givenUp()) return;
    const PartScope scope(part);
    const PartTimer timer(part);
    body();
  }

  MatrixInput normalized(const float* x, const Norm& norm) const {
    return {x, stride_, frames_, norm.weight.data<float>(), norm.bias.data<float>()};
  }
  // y += linear(x).
  void add(const Linear& linear, const float* x) const {
    linear.cpuMatrix()->multiply({x, stride_, frames_}, {y_, stride_, 0, Activation::none, 1.0f, y_});
  }

  void feedForward(const FeedForward& layer, const float* x) const {
    ops::feedForward(*layer.up.cpuMatrix(), *layer.down.cpuMatrix(), normalized(x, layer.norm), y_, 0.5f);
  }

  const float* input(int index) const { return index < 0 ? nullptr : inputs_[index]; }

  void attention() const {
    block_.queryKeyValue.cpuMatrix()->multiply(normalized(y_, block_.normAttention),
                                               {projected_, stride_, frames_ * stride_});
    std::vector<AttentionShape> shapes;
    std::vector<AttentionInput> attended;
    for (const ItemPlan& item : items_) {
      const size_t first = item.attention.queries.first * stride_, part = frames_ * stride_;
      const float* query = projected_ + first;
      shapes.push_back(item.attention);
      attended.push_back({query, query + part, query + 2 * part, input(item.keys), input(item.values),
                          inputs_[item.positions] + item.firstPosition * stride_, block_.biasU.data<float>(),
                          block_.biasV.data<float>(), mixed_ + first});
      if (!item.update) continue;
      const int past = item.attention.past, end = item.update->commit;
      PastAndOwn{input(item.keys), query + part, past, stride_}.copy(end - item.keptRows, end, outputs_[item.nextKeys]);
      PastAndOwn{input(item.values), query + 2 * part, past, stride_}.copy(end - item.keptRows, end,
                                                                           outputs_[item.nextKeys + 1]);
    }
    attend(shapes, attended, block_.dtype);
    add(block_.out, mixed_);
  }

  void convolution() const {
    float* gated = projected_;
    block_.pointwise1.cpuMatrix()->multiply(normalized(y_, block_.normConvolution),
                                            {gated, stride_, 0, Activation::glu});
    const int pad = block_.depthwise.reach();
    std::vector<ConvolutionItem> convolved;
    for (const ItemPlan& item : items_) {
      const float* past = input(item.convolution);
      convolved.push_back({item.attention.queries, past});
      if (!item.update) continue;
      const float* own = gated + item.attention.queries.first * stride_;
      const int end = item.update->commit;
      PastAndOwn{past, own, pad, stride_}.copy(end - pad, end, outputs_[item.nextKeys + 2]);
    }
    convolveRows(block_.depthwise.taps(), convolved, gated, mixed_);
    add(block_.pointwise2, mixed_);
  }

  void normalize() const {
    const auto width = static_cast<int>(stride_);
    const float *weight = block_.normOut.weight.data<float>(), *bias = block_.normOut.bias.data<float>();
    parallelFor(frames_, std::max(1, 8192 / width), [&](int begin, int end) {
      float* rows = y_ + begin * stride_;
      layerNormRows(rows, weight, bias, rows, end - begin, width);
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

BlockOutput runBlockOnCpu(const std::shared_ptr<const Block>& block, const mx::array& x,
                          const std::vector<BlockItem>& items) {
  const int frames = x.shape(0), width = x.shape(1), pad = block->depthwise.reach();
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
    ItemPlan plan{{item.rows, past, width, block->heads, item.farthest, item.positionCount, item.band},
                  item.firstPosition,
                  give(item.positions)};
    plan.keys = give(item.cache.keys);
    plan.values = give(item.cache.values);
    plan.convolution = give(item.cache.convolution);
    if (item.update) {
      plan.update = item.update;
      plan.nextKeys = static_cast<int>(shapes.size());
      plan.keptRows = std::min(item.update->capacity, past + item.update->commit);
      shapes.insert(shapes.end(), {{plan.keptRows, width}, {plan.keptRows, width}, {pad, width}});
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
