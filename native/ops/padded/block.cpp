#include "ops/padded/block.h"

#include "ops/device.h"
#include "ops/device_timer.h"

namespace parakeet::ops {
namespace {

mx::array wide(const mx::array& x) { return mx::astype(x, mx::float32); }

// In pairs: a chain of additions would be too deep for one kernel.
mx::array sum(std::vector<mx::array> terms) {
  while (terms.size() > 1) {
    std::vector<mx::array> pairs;
    for (size_t i = 0; i + 1 < terms.size(); i += 2) pairs.push_back(terms[i] + terms[i + 1]);
    if (terms.size() % 2 == 1) pairs.push_back(terms.back());
    terms = std::move(pairs);
  }
  return terms[0];
}

// Inputs: bias, frames …, taps …
mx::array weightedSum(const Fused::Arrays& in) {
  const size_t kernel = (in.size() - 1) / 2;
  std::vector<mx::array> terms;
  for (size_t k = 0; k < kernel; k++) terms.push_back(wide(in[1 + k]) * wide(in[1 + kernel + k]));
  return sum(std::move(terms)) + wide(in[0]);
}

mx::array run(const BlockFunctions& functions, const PaddedBlock::FeedForward& layer, const mx::array& x) {
  return layer.down.addTo(x, functions.silu({layer.up(layer.norm(x))}), 0.5f);
}

mx::array attend(const BlockFunctions& functions, const PaddedBlock& block, const mx::array& x,
                 const PaddedBatch& batch, const PaddedPast& past, const PositionTable& positions,
                 std::optional<mx::array>& keysValues, std::optional<mx::array>& kept) {
  const auto& [items, frames, cached] = batch.shape;
  const int heads = block.heads, size = x.shape(1) / heads;
  const mx::array projected = mx::reshape(block.queryKeyValue(block.normAttention(x)), {items, frames, 3, heads, size});
  if (batch.live) {
    const LiveAttention::Output output =
        (*block.live)(*batch.live, projected, past.keysValues, positions.rows, block.biasU, block.biasV);
    kept = output.kept;
    return block.out.addTo(x, output.mixed);
  }
  const mx::array query = mx::squeeze(mx::slice(projected, {0, 0, 0, 0, 0}, {items, frames, 1, heads, size}), 2);
  const mx::array own =
      mx::transpose(mx::slice(projected, {0, 0, 1, 0, 0}, {items, frames, 3, heads, size}), {2, 3, 0, 1, 4});
  if (past.keysValues) {
    const mx::array before = mx::take(*past.keysValues, *past.slots, 0);
    keysValues = mx::concatenate({mx::transpose(before, {1, 2, 0, 3, 4}), own}, 3);
  } else {
    keysValues = mx::contiguous(own);
  }
  const mx::array mixed = paddedAttention(functions.attention, batch.shape, mx::transpose(query, {2, 0, 1, 3}),
                                          *keysValues, block.biasU, block.biasV, positions, batch.mask);
  return block.out.addTo(x, mixed);
}

mx::array convolve(const BlockFunctions& functions, const PaddedBlock& block, const mx::array& x,
                   const PaddedBatch& batch, const PaddedPast& past, std::optional<mx::array>& convolved) {
  const int items = batch.shape.batch, frames = batch.shape.frames, width = x.shape(1);
  const mx::array both = mx::reshape(block.pointwise1(block.normConvolution(x)), {items, frames, 2 * width});
  const auto out = [&](const mx::array& y) {
    return block.pointwise2.addTo(x, mx::reshape(y, {items * frames, width}));
  };
  if (block.gated) {
    const GatedConvolution::Output output =
        (*block.gated)(batch.gatedNumbers, both, past.convolution, batch.keeps, block.gatedTaps, block.gatedBias);
    convolved = output.convolved;
    return out(output.y);
  }
  const auto half = [&](int which) {
    return mx::slice(both, {0, 0, which * width}, {items, frames, (which + 1) * width});
  };
  const mx::array gated = functions.gate({half(0), half(1), batch.frameNumbers, batch.counts});
  const auto nothing = [&](int count) { return mx::broadcast_to(mx::array(0.0f, x.dtype()), {items, count, width}); };
  convolved =
      mx::concatenate({past.convolution ? *past.convolution : nothing(block.before), gated, nothing(block.ahead())}, 1);
  // MLX's convolution is faster for a full batch, but prepares each shape anew.
  if (onGpu() && batch.shape.cached == 0 && items * frames >= fullRows && !block.normDepthwise)
    return out(functions.activation({mx::conv1d(*convolved, block.kernel, 1, 0, 1, width), block.tapBias}));
  Fused::Arrays inputs{block.tapBias};
  const int kernel = static_cast<int>(block.taps.size());
  for (int k = 0; k < kernel; k++) inputs.push_back(mx::slice(*convolved, {0, k, 0}, {items, k + frames, width}));
  inputs.insert(inputs.end(), block.taps.begin(), block.taps.end());
  if (!block.normDepthwise) return out(functions.convolution(inputs));
  return out(functions.silu({(*block.normDepthwise)(functions.weighted(inputs))}));
}

}  // namespace

BlockFunctions::BlockFunctions()
    : silu([](const Fused::Arrays& in) -> Fused::Arrays {
        const mx::array x = wide(in[0]);
        return {mx::astype(x * mx::sigmoid(x), in[0].dtype())};
      }),
      gate([](const Fused::Arrays& in) -> Fused::Arrays {
        const mx::array gated = wide(in[0]) * mx::sigmoid(wide(in[1]));
        return {mx::astype(mx::where(mx::less(in[2], in[3]), gated, mx::array(0.0f)), in[0].dtype())};
      }),
      convolution([](const Fused::Arrays& in) -> Fused::Arrays {
        const mx::array y = weightedSum(in);
        return {mx::astype(y * mx::sigmoid(y), in[0].dtype())};
      }),
      weighted([](const Fused::Arrays& in) -> Fused::Arrays { return {mx::astype(weightedSum(in), in[0].dtype())}; }),
      activation([](const Fused::Arrays& in) -> Fused::Arrays {
        const mx::array y = wide(in[0]) + wide(in[1]);
        return {mx::astype(y * mx::sigmoid(y), in[0].dtype())};
      }) {}

PaddedOutput runBlock(const BlockFunctions& functions, const PaddedBlock& block, const mx::array& x,
                      const PaddedBatch& batch, const PaddedPast& past, const PositionTable& positions) {
  std::optional<mx::array> keysValues, kept, convolved;
  DeviceTimer timer;
  mx::array y = run(functions, block.feedForward1, x);
  timer.finish(Part::feedForward, {y});
  y = attend(functions, block, y, batch, past, positions, keysValues, kept);
  timer.finish(Part::attention, {y});
  y = convolve(functions, block, y, batch, past, convolved);
  timer.finish(Part::convolution, {y});
  y = block.normOut(run(functions, block.feedForward2, y));
  timer.finish(Part::feedForward, {y});
  return {y, keysValues, kept, *convolved};
}

mx::array positionRows(const PaddedBlock& block, const mx::array& projected) {
  const int rows = projected.shape(0), size = projected.shape(1) / block.heads;
  return mx::contiguous(mx::transpose(mx::reshape(projected, {rows, block.heads, size}), {1, 0, 2}));
}

}  // namespace parakeet::ops
