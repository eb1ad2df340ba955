#include "ops/dense.h"

#include <stdexcept>

#include "ops/device.h"

namespace parakeet::ops {
namespace {

constexpr int bits = 8;

// The largest group that divides the rows; 0 if none does.
int groupOf(int inputs) {
  for (const int group : {128, 64, 32}) {
    if (inputs % group == 0) return group;
  }
  return 0;
}

}  // namespace

Dense::Dense(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype)
    : dtype_(dtype), group_(inBytes(dtype) ? groupOf(inputs) : 0), weight_(fromVector(weight, {outputs, inputs})) {
  const mx::Dtype type = activationType(dtype);
  if (!bias.empty()) bias_ = mx::astype(fromVector(bias, {outputs}), type);
  std::vector<mx::array> made;
  if (group_ > 0) {
    const std::vector<mx::array> parts = mx::quantize(mx::astype(weight_, type), group_, bits);
    weight_ = parts[0];
    scales_ = parts[1];
    offsets_ = parts[2];
    made = {*scales_, *offsets_};
  } else {
    weight_ = mx::transpose(dtype == DType::float32 ? weight_ : mx::astype(weight_, mx::bfloat16));
  }
  made.push_back(weight_);
  if (bias_) made.push_back(*bias_);
  mx::eval(made);
}

mx::array Dense::product(const mx::array& x) const {
  if (group_ > 0) return mx::quantized_matmul(x, weight_, *scales_, offsets_, true, group_, bits);
  return mx::astype(mx::matmul(mx::astype(x, weight_.dtype()), weight_), x.dtype());
}

mx::array Dense::operator()(const mx::array& x) const {
  if (!bias_) return product(x);
  if (group_ > 0 || x.dtype() != weight_.dtype()) return product(x) + *bias_;
  return mx::addmm(*bias_, x, weight_);
}

mx::array Dense::addTo(const mx::array& residual, const mx::array& x, float scale) const {
  if (bias_) throw std::logic_error("A product with a bias cannot be added to a residual");
  if (group_ == 0 && x.dtype() == weight_.dtype()) return mx::addmm(residual, x, weight_, scale);
  const mx::array y = product(x);
  return residual + (scale == 1 ? y : y * mx::array(scale, y.dtype()));
}

}  // namespace parakeet::ops
