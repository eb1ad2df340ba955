#include "ops/padded/live_attention.h"

#include <algorithm>
#include <string>

#include "bfloat16_source.h"
#include "live_attention_source.h"
#include "ops/cuda_driver.h"
#include "ops/cuda_prelude.h"
#include "ops/transfer.h"
#include "ops/types.h"
#include "tiles_source.h"

namespace parakeet::ops {
namespace {

constexpr int threads = 192, queriesOfBlock = 8;  // the latter as in live_attention.cuh
constexpr int fewKeys = 256, mostKeys = 1024, mostFrames = 64;
// Bytes of shared memory that any card has for a block.
constexpr int sharedBytes = 48 << 10;

// How many parts of the keys have a thread for each four values, and room for their sums; 0 where there is no room for
// the queries of a block, which lie there before, with some values between them.
int partsFor(int size, int keys) {
  const int room = (sharedBytes - 1024) / static_cast<int>(sizeof(float)) - queriesOfBlock * keys;
  if (2 * queriesOfBlock * (size + 64) > room) return 0;
  return std::clamp(std::min(threads / (size / 4), room / (queriesOfBlock * size)), 1, 6);
}

mx::fast::CustomKernelFunction compiled(int heads, int size, int keys) {
  const std::string sizes = std::to_string(heads) + ", " + std::to_string(size) + ", " + std::to_string(keys) + ", " +
                            std::to_string(partsFor(size, keys));
  return mx::fast::cuda_kernel(
      "parakeet_live_attention_" + std::to_string(keys),
      {"numbers", "projected", "pool", "positions", "bias_u", "bias_v"}, {"mixed", "kept"},
      "  parakeet_live::attend<" + sizes + ">(numbers, projected, pool, positions, bias_u, bias_v, mixed, kept);",
      std::string(cudaPrelude) + bfloat16Source + tilesSource + liveAttentionSource);
}

}  // namespace

std::shared_ptr<const LiveAttention> LiveAttention::make(int heads, int size, mx::Dtype type) {
  // Rows are read four values at a time.
  const bool fits = partsFor(size, mostKeys) > 0;
  if (!CudaDriver::instance() || size % 4 != 0 || !fits) return nullptr;
  return std::shared_ptr<const LiveAttention>(new LiveAttention(heads, size, type));
}

LiveAttention::LiveAttention(int heads, int size, mx::Dtype type)
    : heads_(heads),
      size_(size),
      type_(type),
      few_(compiled(heads, size, fewKeys)),
      many_(compiled(heads, size, mostKeys)) {}

bool LiveAttention::takes(const PaddedShape& shape) { return shape.frames <= mostFrames && shape.keys() <= mostKeys; }

LiveAttention::Step LiveAttention::step(const PaddedShape& shape, int distances, int farthest, const Band& band,
                                        int kept, const std::vector<Item>& items) {
  std::vector<int32_t> numbers{shape.frames, shape.cached,    distances,  farthest, band.left,
                               band.right,   band.firstQuery, band.chunk, kept};
  for (const Item& item : items) numbers.insert(numbers.end(), {item.past, item.count, item.slot, item.firstKept});
  return {uploaded(numbers, {static_cast<int>(numbers.size())}), shape.keys(), kept};
}

LiveAttention::Output LiveAttention::operator()(const Step& step, const mx::array& projected,
                                                const std::optional<mx::array>& pool, const mx::array& positions,
                                                const mx::array& u, const mx::array& v) const {
  const int items = projected.shape(0), frames = projected.shape(1);
  const mx::array own = mx::view(projected, bitsOf(type_));
  const auto view = [&](const mx::array& x) { return mx::view(x, bitsOf(type_)); };
  const mx::Shape kept = step.kept > 0 ? mx::Shape{items, 2, heads_, step.kept, size_} : mx::Shape{1, 1, 1, 1, size_};
  // Without cached frames nothing of the pool is read.
  const std::vector<mx::array> outputs = (step.keys <= fewKeys ? few_ : many_)(
      {step.numbers, own, pool ? view(*pool) : own, view(positions), view(u), view(v)},
      {{items * frames, heads_ * size_}, kept}, {bitsOf(type_), bitsOf(type_)},
      {(frames + queriesOfBlock - 1) / queriesOfBlock * threads, heads_, items}, {threads, 1, 1}, {}, std::nullopt,
      false, {});
  return {mx::view(outputs[0], type_), mx::view(outputs[1], type_)};
}

}  // namespace parakeet::ops
