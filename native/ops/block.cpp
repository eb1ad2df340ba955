#include "ops/block.h"

#include <algorithm>

#include "ops/cpu/block.h"
#include "ops/profile.h"
#include "ops/shape.h"

namespace parakeet::ops {
namespace {

// A copy of rows [begin, end) that does not keep the rest of `x` alive.
mx::array copied(const mx::array& x, int begin, int end) {
  return mx::contiguous(mx::slice(x, {begin, 0}, {end, x.shape(1)}));
}

// The last rows of what is past after `commit` of the newest `fresh` rows of `all` became past.
mx::array keepPast(const mx::array& all, int fresh, const CacheUpdate& update) {
  const int past = all.shape(0) - fresh + update.commit;
  return copied(all, std::max(0, past - update.capacity), past);
}

// The `pad` rows before row `commit` of what follows `past`; zeros where there was nothing.
mx::array lastRows(const std::optional<mx::array>& past, const mx::array& own, int commit, int pad) {
  if (commit >= pad) return copied(own, commit - pad, commit);
  const mx::array before = past.value_or(mx::zeros({pad, own.shape(1)}));
  const mx::array both = mx::concatenate({before, mx::slice(own, {0, 0}, {commit, own.shape(1)})}, 0);
  return copied(both, commit, commit + pad);
}

mx::array run(const FeedForward& layer, const mx::array& x) {
  const PartScope part(Part::feedForward);
  return x + mx::array(0.5f) * layer.down(layer.up(layer.norm(x), Activation::silu));
}

mx::array attend(const Block& block, const mx::array& x, const std::vector<BlockItem>& items, BlockOutput& output) {
  const PartScope part(Part::attention);
  const int frames = x.shape(0), width = x.shape(1);
  const mx::array projected = block.queryKeyValue(block.normAttention(x));
  std::vector<AttentionItem> attended;
  for (size_t i = 0; i < items.size(); i++) {
    const BlockItem& item = items[i];
    const auto own = [&](int part) {
      return mx::slice(projected, {part * frames + item.rows.first, 0}, {part * frames + item.rows.end(), width});
    };
    mx::array keys = own(1), values = own(2);
    if (item.cache.keys && item.cache.keys->shape(0) > 0) {
      keys = mx::concatenate({*item.cache.keys, keys}, 0);
      values = mx::concatenate({*item.cache.values, values}, 0);
    }
    const mx::array positions =
        mx::slice(item.positions, {item.firstPosition, 0}, {item.firstPosition + item.positionCount, width});
    attended.push_back({item.rows, keys, values, positions, item.farthest, item.band});
    if (!item.update) continue;
    output.caches[i].keys = keepPast(keys, item.rows.count, *item.update);
    output.caches[i].values = keepPast(values, item.rows.count, *item.update);
  }
  const mx::array query = mx::slice(projected, {0, 0}, {frames, width});
  const mx::array mixed = relativeAttention(query, attended, block.biasU, block.biasV, block.heads);
  return x + block.out(mixed);
}

mx::array convolve(const Block& block, const mx::array& x, const std::vector<BlockItem>& items, BlockOutput& output) {
  const PartScope part(Part::convolution);
  const mx::array gated = block.pointwise1(block.normConvolution(x), Activation::glu);
  std::vector<DepthwiseConv1d::Item> convolved;
  for (size_t i = 0; i < items.size(); i++) {
    const BlockItem& item = items[i];
    convolved.push_back({item.rows, item.cache.convolution});
    if (!item.update) continue;
    const mx::array own = mx::slice(gated, {item.rows.first, 0}, {item.rows.end(), x.shape(1)});
    output.caches[i].convolution = lastRows(item.cache.convolution, own, item.update->commit, block.depthwise.reach());
  }
  return x + block.pointwise2(block.depthwise(gated, convolved));
}

}  // namespace

mx::array readablePositions(const Block& block, const mx::array& projected) {
#ifdef PARAKEET_CPU_KERNELS
  if (block.out.cpuMatrix()) return readablePositionsOnCpu(block, projected);
#endif
  return projected;
}

BlockOutput runBlock(const std::shared_ptr<const Block>& block, const mx::array& x,
                     const std::vector<BlockItem>& items) {
  const int width = block->biasU.shape(0);
  mustHaveWidth("Conformer block", x, width);
  for (const BlockItem& item : items) {
    for (const auto& past : {item.cache.keys, item.cache.values, item.cache.convolution})
      if (past) mustHaveWidth("Conformer block's cache", *past, width);
  }
#ifdef PARAKEET_CPU_KERNELS
  if (block->out.cpuMatrix()) return runBlockOnCpu(block, x, items);
#endif
  BlockOutput output{x, {}};
  for (const BlockItem& item : items) output.caches.push_back(item.cache);
  mx::array y = run(block->feedForward1, x);
  y = attend(*block, y, items, output);
  y = convolve(*block, y, items, output);
  y = run(block->feedForward2, y);
  const PartScope part(Part::feedForward);
  output.y = block->normOut(y);
  return output;
}

}  // namespace parakeet::ops
