// The functions of tile_operand.h, tile_four_bits.h, tile_finish.h and attention_rows.h in AVX-512, and in AVX2 those
// of them that take longer as loops over vector.h, which they are elsewhere.
#pragma once

#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <cstddef>
#include <cstdint>

#include "ops/cpu/pointwise.h"
#include "ops/cpu/product_kind.h"
#include "ops/cpu/vector_level.h"

namespace parakeet::ops {

// Calls `body` with the activation as its template argument: a function for each, without a branch in its loops.
template <class Body>
void withActivation(Activation activation, Body body) {
  switch (activation) {
    case Activation::none:
      return body.template operator()<Activation::none>();
    case Activation::relu:
      return body.template operator()<Activation::relu>();
    case Activation::silu:
      return body.template operator()<Activation::silu>();
    case Activation::glu:
      return body.template operator()<Activation::glu>();
  }
}

}  // namespace parakeet::ops

namespace parakeet::ops::avx512 {

void operandRow(ProductKind kind, const float* x, int inputs, int groups, void* row, QuantizedRow* quantized);
void bytesOfNarrowRow(const uint16_t* x, int inputs, int groups, void* row, QuantizedRow* quantized);

void finishProduct(const void* accumulator, const TileEnd& end);
void siluProduct(const void* accumulator, const TileEnd& end, uint16_t* output, size_t stride);

void packColumns(ProductKind kind, const float* const* rows, int size, int groups, void* packed);
void packInner(ProductKind kind, const float* const* rows, int count, int first, int size, int groups, void* packed);
void biasedRow(ProductKind kind, const float* x, const float* bias, float scale, int size, int groups, void* y);
float softmaxRow(ProductKind kind, float* content, const float* distance, int begin, int end, int groups,
                 void* weights);

}  // namespace parakeet::ops::avx512

namespace parakeet::ops::avx2 {

// As operandRow in bytes.
void quantizeRow(const float* x, int inputs, int groups, void* row, QuantizedRow* quantized);
void quantizeToWords(const float* x, int inputs, int groups, void* row, QuantizedRow* quantized);
void widenBytes(const int8_t* x, const float* scale, int count, float* y);
// `count` is a multiple of 16.
void bytesToWords(const int8_t* bytes, size_t count, int16_t* words);
void unpackFourBits(const uint8_t* blocks, int count, int8_t* bytes);
void fourBitsToWords(const uint8_t* blocks, int count, int16_t* words);
void widenFourBits(const uint8_t* blocks, int count, const float* scale, float* y);
void finishProduct(const void* accumulator, const TileEnd& end);
// Of float32.
void packColumns(const float* const* rows, int size, int groups, float* packed);

}  // namespace parakeet::ops::avx2

// Leaves the function by `call`, one of the above, where the CPU has the set; AVX2 also where it has AVX-512.
#define PARAKEET_IN_AVX512(call) \
  if (vectorLevel() == VectorLevel::avx512) return avx512::call
#define PARAKEET_IN_AVX2(call) \
  if (vectorLevel() != VectorLevel::base) return avx2::call

#else

#define PARAKEET_IN_AVX512(call) static_assert(true)
#define PARAKEET_IN_AVX2(call) static_assert(true)

#endif
