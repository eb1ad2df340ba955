// The type in which a model's weights are stored and its products are computed. Activations between operations are
// float32 in every case.
#pragma once

namespace parakeet::ops {

// bfloat16: weights rounded to 8 bits of mantissa; products in bfloat16 with float32 sums where the CPU has
// instructions for it. int8: weights scaled for each output channel, activations for each row as they come; sums in
// int32, where the CPU has instructions for it (VNNI, AMX, arm64's dot products). Where it has none, weights of both
// are widened to float32 again, block by block, on their way into the product: as fast as float32, in less memory.
// int4: as int8, but the weights of the layers that bear it are in four bits until they are multiplied (four_bits.h).
enum class DType { float32, bfloat16, int8, int4 };

// Of matrices that four bits would be too coarse for.
constexpr DType atLeastInt8(DType dtype) { return dtype == DType::int4 ? DType::int8 : dtype; }

// Whether rows of activations are multiplied as bytes.
constexpr bool inBytes(DType dtype) { return atLeastInt8(dtype) == DType::int8; }

// For small weights where bytes would be too coarse: the predictor, the joint.
constexpr DType atLeastBfloat16(DType dtype) { return dtype == DType::float32 ? dtype : DType::bfloat16; }

// The next wider type, for the subsampling: an error there propagates through everything that follows, and grows where
// the sound is nearly silent (with the bundled model, the largest error among a recording's frames grows from 0.6 to 2
// %). Attention follows the same rule on a CPU (cpu/attention.cpp).
constexpr DType wider(DType dtype) {
  return dtype == DType::float32 || dtype == DType::bfloat16 ? DType::float32 : DType::bfloat16;
}

}  // namespace parakeet::ops
