#ifdef PARAKEET_ONEDNN

#include "ops/cpu/packed_matrix.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/instructions.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/quantize.h"
#include "ops/pool.h"

namespace parakeet::ops {
namespace {

// Columns of a panel: with 1024 inputs its weights fill half a megabyte to one, a second-level cache.
constexpr int panelColumns = 256;
// Rows of a tile: its sums are still in the cache when they are finished.
constexpr int tileRows = 128;
// Fewest rows of a tile when there are more threads than panels.
constexpr int leastTileRows = 32;
// Fewer multiply-adds than this do not justify waking another thread.
constexpr double grainWork = 2e6;
// Inputs whose weights are widened at once, where the CPU has no products of their type.
constexpr int widenedInputs = 512;

// A buffer of the calling thread that only grows.
template <class T, int>
T* scratch(size_t count) {
  thread_local std::vector<T> buffer;
  if (buffer.size() < count) buffer.resize(count);
  return buffer.data();
}

struct Panel {
  int part = 0;     // of the outputs
  int first = 0;    // of the part's columns
  int columns = 0;  // of the product; with a gate, two halves
  std::vector<PackedPanel> packed;
  std::vector<uint16_t> narrow;  // [inputs, columns], bfloat16 to be widened
  std::vector<int8_t> bytes;     // [inputs, columns], int8 to be widened
  std::vector<float> scale;      // [columns], int8
  std::vector<int32_t> sum;      // [columns], products of bytes: of the quantised weights
  std::vector<float> bias;       // [columns]; zeros for none
};

// How the weights are multiplied.
enum class Way { float32, bfloat16, bytes, widenedBfloat16, widenedBytes };

Way wayOf(DType dtype) {
  switch (dtype) {
    case DType::bfloat16:
      return hasBfloat16() ? Way::bfloat16 : Way::widenedBfloat16;
    case DType::int8:
      return hasByteProducts() ? Way::bytes : Way::widenedBytes;
    case DType::int8Products:
      return Way::bytes;
    case DType::float32:
      break;
  }
  return Way::float32;
}

// [columns, inputs] → [inputs, columns]: what is widened is read that way.
template <class T>
std::vector<T> transposed(const std::vector<T>& weight, int columns, int inputs) {
  std::vector<T> result(weight.size());
  for (int c = 0; c < columns; c++) {
    for (int k = 0; k < inputs; k++)
      result[static_cast<size_t>(k) * columns + c] = weight[static_cast<size_t>(c) * inputs + k];
  }
  return result;
}

// Sets the panel's scales and sums.
std::vector<int8_t> quantized(Panel& panel, const std::vector<float>& weight, int inputs, int most) {
  std::vector<int8_t> bytes(weight.size());
  for (int c = 0; c < panel.columns; c++) {
    const size_t at = static_cast<size_t>(c) * inputs;
    const auto [scale, sum] = quantizeChannel(weight.data() + at, bytes.data() + at, inputs, most);
    panel.scale.push_back(scale);
    panel.sum.push_back(sum);
  }
  return bytes;
}

}  // namespace

struct PackedMatrix::State {
  Way way;
  int outputs, inputs, parts;
  bool gated;
  std::vector<Panel> panels;

  // The panel of `width` output columns from `first` of the part on.
  Panel pack(const std::vector<float>& weight, const std::vector<float>& bias, int part, int first, int width) const {
    Panel panel;
    panel.part = part;
    panel.first = first;
    panel.columns = gated ? 2 * width : width;
    std::vector<float> rows;
    rows.reserve(static_cast<size_t>(panel.columns) * inputs);
    for (const int half : gated ? std::vector<int>{0, outputs} : std::vector<int>{0}) {
      const int row = half + part * (outputs / parts) + first;
      const auto begin = weight.begin() + static_cast<ptrdiff_t>(row) * inputs;
      rows.insert(rows.end(), begin, begin + static_cast<ptrdiff_t>(width) * inputs);
      if (!bias.empty()) panel.bias.insert(panel.bias.end(), bias.begin() + row, bias.begin() + row + width);
    }
    panel.bias.resize(panel.columns);
    switch (way) {
      case Way::float32:
        panel.packed.emplace_back(ProductKind::float32, rows.data(), panel.columns, inputs);
        break;
      case Way::bfloat16:
        panel.packed.emplace_back(ProductKind::bfloat16, toBfloat16(rows).data(), panel.columns, inputs);
        break;
      case Way::bytes: {
        // Without VNNI, pairs of products are summed in 16 bits: 2 · 255 · 64 still fits.
        const auto bytes = quantized(panel, rows, inputs, hasByteProducts() ? 127 : 64);
        panel.packed.emplace_back(ProductKind::bytes, bytes.data(), panel.columns, inputs);
        break;
      }
      case Way::widenedBfloat16:
        panel.narrow = transposed(toBfloat16(rows), panel.columns, inputs);
        break;
      case Way::widenedBytes:
        panel.bytes = transposed(quantized(panel, rows, inputs, 127), panel.columns, inputs);
        break;
    }
    return panel;
  }

  // Activations as the product takes them, one row after the other.
  struct Source {
    const float* wide = nullptr;
    const uint16_t* narrow = nullptr;
    const uint8_t* bytes = nullptr;
    const QuantizedRow* rows = nullptr;
  };

  Source convert(const MatrixInput& input) const {
    const int rows = input.rows;
    const size_t count = static_cast<size_t>(rows) * inputs;
    const int grain = std::max(1, static_cast<int>(grainWork / 8) / inputs);
    const float* x = input.x;
    if (input.normWeight) {
      float* normalized = scratch<float, 2>(count);
      parallelFor(rows, grain, [&](int begin, int end) {
        const size_t at = static_cast<size_t>(begin) * inputs;
        layerNormRows(x + at, input.normWeight, input.normBias, normalized + at, end - begin, inputs);
      });
      x = normalized;
    }
    Source source{x};
    if (way == Way::bfloat16) {
      uint16_t* narrow = scratch<uint16_t, 0>(count);
      parallelFor(rows, grain, [&](int begin, int end) {
        const size_t at = static_cast<size_t>(begin) * inputs;
        toBfloat16(x + at, narrow + at, static_cast<size_t>(end - begin) * inputs);
      });
      source.narrow = narrow;
    }
    if (way == Way::bytes) {
      uint8_t* bytes = scratch<uint8_t, 0>(count);
      QuantizedRow* quantized = scratch<QuantizedRow, 0>(rows);
      parallelFor(rows, grain, [&](int begin, int end) {
        const size_t at = static_cast<size_t>(begin) * inputs;
        quantizeRows(x + at, bytes + at, quantized + begin, end - begin, inputs);
      });
      source.bytes = bytes;
      source.rows = quantized;
    }
    return source;
  }

  void widenedProduct(const Panel& panel, const float* x, float* sums, int rows) const {
    float* wide = scratch<float, 1>(static_cast<size_t>(std::min(widenedInputs, inputs)) * panel.columns);
    for (int k = 0; k < inputs; k += widenedInputs) {
      const int inner = std::min(widenedInputs, inputs - k);
      const size_t at = static_cast<size_t>(k) * panel.columns;
      if (way == Way::widenedBytes) {
        fromBytes(panel.bytes.data() + at, panel.scale.data(), wide, inner, panel.columns);
      } else {
        fromBfloat16(panel.narrow.data() + at, wide, static_cast<size_t>(inner) * panel.columns);
      }
      sgemm({rows, panel.columns, inner, false, 1.0f, k ? 1.0f : 0.0f}, x + k, inputs, wide, panel.columns, sums,
            panel.columns);
    }
  }

  // The tile's sums: int32 where bytes are multiplied, else float32.
  const void* product(const Panel& panel, const Source& source, int row, int rows) const {
    const size_t at = static_cast<size_t>(row) * inputs, count = static_cast<size_t>(rows) * panel.columns;
    float* sums = scratch<float, 0>(count);
    switch (way) {
      case Way::float32:
        panel.packed[0].multiply(source.wide + at, sums, rows);
        break;
      case Way::bfloat16:
        panel.packed[0].multiply(source.narrow + at, sums, rows);
        break;
      case Way::widenedBfloat16:
      case Way::widenedBytes:
        widenedProduct(panel, source.wide + at, sums, rows);
        break;
      case Way::bytes:
        panel.packed[0].multiply(source.bytes + at, sums, rows);
        break;
    }
    return sums;
  }
};

PackedMatrix::PackedMatrix(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs,
                           DType dtype, const LinearShape& shape)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.way = wayOf(dtype);
  state.outputs = shape.gated ? outputs / 2 : outputs;
  state.inputs = inputs;
  state.parts = shape.parts;
  state.gated = shape.gated;
  const int most = shape.gated ? panelColumns / 2 : panelColumns, width = state.outputs / shape.parts;
  const int perPart = (width + most - 1) / most;
  state.panels.resize(static_cast<size_t>(shape.parts) * perPart);
  parallelFor(static_cast<int>(state.panels.size()), 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      const int first = i % perPart * most;
      state.panels[i] = state.pack(weight, bias, i / perPart, first, std::min(most, width - first));
    }
  });
}

PackedMatrix::~PackedMatrix() = default;

int PackedMatrix::outputs() const { return state_->outputs; }

void PackedMatrix::multiply(const MatrixInput& input, const MatrixOutput& output) const {
  const State& state = *state_;
  const int rows = input.rows;
  const auto panels = static_cast<int>(state.panels.size());
  int tiles = (rows + tileRows - 1) / tileRows;
  // With few panels for the threads, thinner tiles.
  if (panels * tiles < 2 * poolThreads())
    tiles = std::clamp(2 * poolThreads() / panels, tiles, std::max(tiles, rows / leastTileRows));
  const double work = static_cast<double>(rows) * state.inputs * state.outputs / (static_cast<double>(panels) * tiles);
  const State::Source source = state.convert(input);
  parallelFor(panels * tiles, static_cast<int>(std::ceil(grainWork / work)), [&](int begin, int end) {
    for (int i = begin; i < end && !givenUp(); i++) {
      const Panel& panel = state.panels[i / tiles];
      const int tile = i % tiles;
      const int first = static_cast<int>(static_cast<int64_t>(rows) * tile / tiles);
      const int last = static_cast<int>(static_cast<int64_t>(rows) * (tile + 1) / tiles);
      const size_t corner = panel.part * output.partStride + first * output.stride + panel.first;
      TileEnd tileEnd;
      tileEnd.rows = last - first;
      tileEnd.columns = state.gated ? panel.columns / 2 : panel.columns;
      tileEnd.gate = tileEnd.columns;
      tileEnd.ldAccumulator = panel.columns;
      tileEnd.bias = panel.bias.data();
      if (state.way == Way::bytes) {
        tileEnd.quantized = source.rows + first;
        tileEnd.columnScale = panel.scale.data();
        tileEnd.columnSum = panel.sum.data();
      }
      tileEnd.activation = output.activation;
      tileEnd.output = output.y + corner;
      tileEnd.ldOutput = output.stride;
      tileEnd.residual = output.residual ? output.residual + corner : nullptr;
      tileEnd.scale = output.scale;
      finishTile(state.product(panel, source, first, last - first), tileEnd);
    }
  });
}

void PackedMatrix::feedForward(const CpuMatrix& down, const MatrixInput& input, float* y, float scale) const {
  constexpr int blockRows = 480;
  const size_t width = outputs();
  thread_local std::vector<float> hidden;  // of the largest block so far
  hidden.resize(std::max(hidden.size(), width * std::min(blockRows, input.rows)));
  for (int first = 0; first < input.rows && !givenUp(); first += blockRows) {
    const MatrixInput block = input.block(first, blockRows);
    multiply(block, {hidden.data(), width, 0, Activation::silu});
    down.multiply({hidden.data(), width, block.rows},
                  {y + first * input.stride, input.stride, 0, Activation::none, scale, block.x});
  }
}

}  // namespace parakeet::ops

#endif
