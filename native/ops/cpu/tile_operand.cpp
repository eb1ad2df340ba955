#include "ops/cpu/tile_operand.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops {

void operandRow(ProductKind kind, const float* x, int inputs, int groups, void* row, QuantizedRow* quantized) {
  PARAKEET_IN_AVX512(operandRow(kind, x, inputs, groups, row, quantized));
  auto* bytes = static_cast<uint8_t*>(row);
  const size_t size = static_cast<size_t>(inputs) * 4 / groupSize(kind);
  if (kind == ProductKind::float32) std::memcpy(row, x, size);
  if (kind == ProductKind::bfloat16) toBfloat16(x, static_cast<uint16_t*>(row), inputs);
  if (kind == ProductKind::words) {
    PARAKEET_IN_AVX2(quantizeToWords(x, inputs, groups, row, quantized));
  }
  if (kind == ProductKind::bytes) {
    PARAKEET_IN_AVX2(quantizeRow(x, inputs, groups, row, quantized));
    quantizeRows(x, bytes, quantized, 1, inputs);
    if constexpr (signedActivations) {
      for (int k = 0; k < inputs; k++) bytes[k] ^= 0x80;  // less 128
      quantized->zero -= 128;
    }
  }
  std::memset(bytes + size, 0, static_cast<size_t>(groups) * 4 - size);
}

void bytesOfNarrowRow(const uint16_t* x, int inputs, int groups, void* row, QuantizedRow* quantized) {
  PARAKEET_IN_AVX512(bytesOfNarrowRow(x, inputs, groups, row, quantized));
  thread_local std::vector<float> wide;
  wide.resize(std::max<size_t>(wide.size(), inputs));
  fromBfloat16(x, wide.data(), inputs);
  operandRow(ProductKind::bytes, wide.data(), inputs, groups, row, quantized);
}

void widenBytes(const int8_t* x, const float* scale, int count, float* y) {
  PARAKEET_IN_AVX2(widenBytes(x, scale, count, y));
  fromBytes(x, scale, y, count, tileColumns);
}

void bytesToWords(const int8_t* bytes, size_t count, int16_t* words) {
  PARAKEET_IN_AVX2(bytesToWords(bytes, count, words));
  std::copy(bytes, bytes + count, words);
}

}  // namespace parakeet::ops
