#include "ops/padded/shifted_norm.h"

#include <string>
#include <utility>

#include "bfloat16_source.h"
#include "ops/cuda_driver.h"
#include "ops/cuda_prelude.h"
#include "ops/types.h"
#include "shifted_norm_source.h"

namespace parakeet::ops {
namespace {

constexpr int lanes = 32;

}  // namespace

std::shared_ptr<const ShiftedNormKernel> ShiftedNormKernel::make(int width, mx::Dtype type) {
  if (!CudaDriver::instance() || width % 4 != 0) return nullptr;
  return std::shared_ptr<const ShiftedNormKernel>(new ShiftedNormKernel(width, type));
}

ShiftedNormKernel::ShiftedNormKernel(int width, mx::Dtype type)
    : type_(type),
      run_(
          mx::fast::cuda_kernel("parakeet_shifted_norm", {"x", "shift", "weight", "bias"}, {"y"},
                                "  parakeet_norm::normalize<" + std::to_string(width) + ">(x, shift, weight, bias, y);",
                                std::string(cudaPrelude) + bfloat16Source + shiftedNormSource)) {}

mx::array ShiftedNormKernel::operator()(const mx::array& x, const mx::array& shift, const mx::array& weight,
                                        const mx::array& bias) const {
  const std::vector<mx::array> outputs =
      run_({mx::view(x, bitsOf(type_)), shift, weight, bias}, {x.shape()}, {bitsOf(type_)}, {lanes * x.shape(0), 1, 1},
           {lanes, 1, 1}, {}, std::nullopt, false, {});
  return mx::view(outputs[0], type_);
}

ShiftedNorm::ShiftedNorm(Norm norm, const std::vector<float>& shift, std::shared_ptr<const ShiftedNormKernel> kernel)
    : norm_(std::move(norm)), kernel_(std::move(kernel)) {
  if (shift.empty()) return;
  const mx::array values = fromVector(shift, {static_cast<int>(shift.size())});
  if (!kernel_) {
    shift_ = mx::astype(values, norm_.weight.dtype());
    return;
  }
  shift_ = values;
  norm_ = {mx::astype(norm_.weight, mx::float32), mx::astype(norm_.bias, mx::float32)};
}

mx::array ShiftedNorm::operator()(const mx::array& x) const {
  if (!shift_) return norm_(x);
  return kernel_ ? (*kernel_)(x, *shift_, norm_.weight, norm_.bias) : norm_(x + *shift_);
}

std::vector<mx::array> ShiftedNorm::arrays() const {
  std::vector<mx::array> all{norm_.weight, norm_.bias};
  if (shift_) all.push_back(*shift_);
  return all;
}

}  // namespace parakeet::ops
