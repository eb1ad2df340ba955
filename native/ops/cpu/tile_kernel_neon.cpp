#if defined(PARAKEET_CPU_KERNELS) && defined(__aarch64__)

#include <arm_neon.h>

#include <array>
#include <limits>
#include <utility>

#include "ops/cpu/instructions.h"
#include "ops/cpu/neon.h"
#include "ops/cpu/tile_kernel.h"

// Neither compiler emits the instructions for bfloat16 and bytes on its own here, so a CPU that lacks them runs the
// functions of float32 all the same.

namespace parakeet::ops {
namespace {

// Values of a register, and registers of a row of sums: with 8 × 2 of those, two of weights and 8 of activations, the
// 32 that there are suffice.
constexpr int lanes = 4, vectors = tileColumns / lanes;
constexpr int alignment = lanes;

// sum + w · group `lane` of x. Registers hold the bits of what the kind multiplies; sums of bytes those of int32.
template <ProductKind kind, int lane>
PARAKEET_NEON_INLINE float32x4_t multiplyAdd(float32x4_t sum, float32x4_t w, float32x4_t x) {
#ifdef PARAKEET_NEON_NARROW
  if constexpr (kind == ProductKind::bfloat16)
    return vbfdotq_laneq_f32(sum, vreinterpretq_bf16_f32(w), vreinterpretq_bf16_f32(x), lane);
  if constexpr (kind == ProductKind::bytes)
    return vreinterpretq_f32_s32(
        vdotq_laneq_s32(vreinterpretq_s32_f32(sum), vreinterpretq_s8_f32(w), vreinterpretq_s8_f32(x), lane));
#endif
  return vfmaq_laneq_f32(sum, w, x, lane);
}

template <ProductKind kind, int rows, int lane>
PARAKEET_NEON_INLINE void addGroup(float32x4_t (&sums)[rows][vectors], const float32x4_t (&x)[rows], const float* w) {
  float32x4_t weights[vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; j++) weights[j] = vld1q_f32(w + lane * tileColumns + j * lanes);
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) sums[i][j] = multiplyAdd<kind, lane>(sums[i][j], weights[j], x[i]);
  }
}

// Unrolled, the loops over rows and vectors leave nothing but loads and products.
template <ProductKind kind, int rows>
PARAKEET_NEON void multiplyRows(const TileProduct& product) {
  float32x4_t sums[rows][vectors];
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) sums[i][j] = vdupq_n_f32(0);
  }
  const auto* x = static_cast<const float*>(product.activations);
  const auto* w = static_cast<const float*>(product.weights);
  const size_t stride = product.activationsStride / sizeof *x;
  const char* next = static_cast<const char*>(product.next);
  const char* nextEnd = next;
  for (int group = 0; group < product.groups; group += alignment) {
    float32x4_t activations[rows];
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) activations[i] = vld1q_f32(x + i * stride);
    addGroup<kind, rows, 0>(sums, activations, w);
    addGroup<kind, rows, 1>(sums, activations, w);
    addGroup<kind, rows, 2>(sums, activations, w);
    addGroup<kind, rows, 3>(sums, activations, w);
    for (nextEnd += 64 * product.nextLines; next < nextEnd; next += 64) __builtin_prefetch(next, 0, 2);
    x += alignment;
    w += alignment * tileColumns;
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++) {
    float* row = static_cast<float*>(product.sums) + i * product.sumsStride;
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) vst1q_f32(row + j * lanes, sums[i][j]);
  }
}

using Function = void (*)(const TileProduct&);

template <size_t... i>
constexpr std::array<std::array<Function, mostTileRows>, 3> makeTable(std::index_sequence<i...>) {
  return {{{multiplyRows<ProductKind::float32, i + 1>...},
           {multiplyRows<ProductKind::bfloat16, i + 1>...},
           {multiplyRows<ProductKind::bytes, i + 1>...}}};
}
constexpr auto table = makeTable(std::make_index_sequence<mostTileRows>());

}  // namespace

bool hasTileKernel(ProductKind kind) {
  switch (kind) {
    case ProductKind::bfloat16:
      return hasBfloat16();
    case ProductKind::bytes:
      return hasByteProducts();
    case ProductKind::words:
      return false;
    case ProductKind::float32:
      break;
  }
  return true;
}

int tileRows(ProductKind) { return mostTileRows; }
int groupAlignment(ProductKind) { return alignment; }
int groupsAtOnce(ProductKind) { return std::numeric_limits<int>::max(); }
int fourBitTileRows(ProductKind) { return 0; }
int rowsWithPadding(ProductKind, int rows) { return rows; }

TileScope::TileScope(ProductKind) : shaped_(false) {}
TileScope::~TileScope() = default;

void multiplyTile(ProductKind kind, const TileProduct& product) {
  table[static_cast<size_t>(kind)][product.rows - 1](product);
}

}  // namespace parakeet::ops

#endif
