#include "ops/linear.h"

#include <optional>

#include "ops/activate.h"
#include "ops/cpu/kernel.h"
#include "ops/cpu/matrix.h"
#include "ops/on_cpu.h"
#include "ops/shape.h"

namespace parakeet::ops {

namespace {

// MLX's own products: weights as they are, as bfloat16, or in MLX's groups of bytes.
class PlainMatrix {
 public:
  PlainMatrix(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype) {
    const mx::array wide = fromVector(weight, {outputs, inputs});
    if (!bias.empty()) bias_ = fromVector(bias, {outputs});
    for (const int group : {128, 64, 32}) {
      const bool bytes = dtype == DType::int8 || dtype == DType::int8Products;
      if (!bytes || group_ || inputs % group != 0) continue;
      group_ = group;
      const std::vector<mx::array> parts = mx::quantize(wide, group, 8);
      weight_ = parts[0];
      scales_ = parts[1];
      biases_ = parts[2];
    }
    // A width that is not a multiple of a group size stays in bfloat16.
    if (!group_) weight_ = mx::transpose(dtype == DType::float32 ? wide : mx::astype(wide, mx::bfloat16));
    std::vector<mx::array> parts{*weight_};
    if (group_) parts.insert(parts.end(), {*scales_, *biases_});
    mx::eval(parts);
  }

  mx::array multiply(const mx::array& x) const {
    const mx::array product = group_ ? mx::quantized_matmul(x, *weight_, *scales_, biases_, true, group_, 8)
                                     : mx::astype(mx::matmul(mx::astype(x, weight_->dtype()), *weight_), mx::float32);
    return bias_ ? product + *bias_ : product;
  }

 private:
  int group_ = 0;
  std::optional<mx::array> weight_, scales_, biases_, bias_;
};

}  // namespace

class Linear::Impl {
 public:
  Impl(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype,
       const LinearShape& shape)
      : inputs_(inputs), parts_(shape.parts) {
#ifdef PARAKEET_CPU_KERNELS
    if (onCpu()) {
      matrix_ = makeCpuMatrix(weight, bias, outputs, inputs, dtype, shape);
      return;
    }
#endif
    plain_.emplace(weight, bias, outputs, inputs, dtype);
  }

  mx::array apply(const mx::array& x, Activation activation) const {
    mustHaveWidth("Linear", x, inputs_);
#ifdef PARAKEET_CPU_KERNELS
    if (matrix_) return applyOnCpu(x, activation);
#endif
    const mx::array y = activate(plain_->multiply(x), activation);
    return parts_ > 1 ? mx::concatenate(mx::split(y, parts_, 1), 0) : y;
  }

#ifdef PARAKEET_CPU_KERNELS
  const CpuMatrix* matrix() const { return matrix_.get(); }
#endif

 private:
#ifdef PARAKEET_CPU_KERNELS
  mx::array applyOnCpu(const mx::array& x, Activation activation) const {
    const int rows = x.shape(0);
    const auto inputs = static_cast<size_t>(x.shape(1)), width = static_cast<size_t>(matrix_->outputs() / parts_);
    return cpuKernel("Linear", {x}, {parts_ * rows, static_cast<int>(width)},
                     [=, matrix = matrix_](const std::vector<const float*>& arrays, float* y) {
                       matrix->multiply({arrays[0], inputs, rows}, {y, width, rows * width, activation});
                     });
  }

  std::shared_ptr<const CpuMatrix> matrix_;
#endif
  int inputs_, parts_;
  std::optional<PlainMatrix> plain_;
};

Linear::Linear(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs, DType dtype,
               const LinearShape& shape)
    : impl_(std::make_shared<const Impl>(weight, bias, outputs, inputs, dtype, shape)) {}

mx::array Linear::operator()(const mx::array& x, Activation activation) const { return impl_->apply(x, activation); }

const CpuMatrix* Linear::cpuMatrix() const {
#ifdef PARAKEET_CPU_KERNELS
  return impl_->matrix();
#else
  return nullptr;
#endif
}

}  // namespace parakeet::ops
