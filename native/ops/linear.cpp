#include "ops/linear.h"

#include <optional>
#include <stdexcept>

#include "ops/cpu/kernel.h"
#include "ops/cpu/matrix.h"
#include "ops/dense.h"
#include "ops/device.h"
#include "ops/shape.h"

namespace parakeet::ops {

class Linear::Impl {
 public:
  Impl(const WeightRows& weight, const std::vector<float>& bias, DType dtype, const LinearShape& shape)
      : inputs_(weight.columns()), parts_(shape.parts), dtype_(dtype) {
#ifdef PARAKEET_CPU_KERNELS
    if (onCpu()) {
      matrix_ = makeCpuMatrix(weight, bias, dtype, shape);
      return;
    }
#endif
    dense_.emplace(weight.values(), bias, weight.rows(), weight.columns(), dtype);
  }

  mx::array apply(const mx::array& x, Activation activation) const {
    mustHaveWidth("Linear", x, inputs_);
#ifdef PARAKEET_CPU_KERNELS
    if (matrix_) return applyOnCpu(x, activation);
#endif
    if (activation != Activation::none || parts_ > 1) throw std::logic_error("Only our CPU kernels activate and split");
    return mx::astype((*dense_)(mx::astype(x, activationType(dtype_))), mx::float32);
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
  DType dtype_;
  std::optional<Dense> dense_;
};

Linear::Linear(const WeightRows& weight, const std::vector<float>& bias, DType dtype, const LinearShape& shape)
    : impl_(std::make_shared<const Impl>(weight, bias, dtype, shape)) {}

mx::array Linear::operator()(const mx::array& x, Activation activation) const { return impl_->apply(x, activation); }

const CpuMatrix* Linear::cpuMatrix() const {
#ifdef PARAKEET_CPU_KERNELS
  return impl_->matrix();
#else
  return nullptr;
#endif
}

}  // namespace parakeet::ops
