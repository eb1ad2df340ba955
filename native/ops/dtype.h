// The type that a model's weights are kept in and its products are computed in. Activations between operations are
// float32 in every case.
#pragma once

namespace parakeet::ops {

// bfloat16: weights rounded to 8 bits of mantissa; products in bfloat16 with float32 sums where the CPU has
// instructions for it, else with the weights widened again, block by block. int8: weights scaled for each output
// channel, activations for each row as they come; sums in int32.
enum class DType { float32, bfloat16, int8 };

}  // namespace parakeet::ops
