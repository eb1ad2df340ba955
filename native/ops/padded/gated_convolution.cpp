#include "ops/padded/gated_convolution.h"

#include <string>

#include "bfloat16_source.h"
#include "gated_convolution_source.h"
#include "ops/cuda_driver.h"
#include "ops/transfer.h"
#include "ops/types.h"

namespace parakeet::ops {
namespace {

constexpr int threads = 128, framesOfThread = 16;  // the latter as in gated_convolution.cuh

std::string callFor(int width, int kernel, int before) {
  return "  parakeet_convolution::convolve<" + std::to_string(width) + ", " + std::to_string(kernel) + ", " +
         std::to_string(before) + ">(numbers, both, past, taps, bias, convolved, y);";
}

}  // namespace

std::shared_ptr<const GatedConvolution> GatedConvolution::make(int width, int kernel, int before, mx::Dtype type) {
  if (!CudaDriver::instance()) return nullptr;
  return std::shared_ptr<const GatedConvolution>(new GatedConvolution(width, kernel, before, type));
}

GatedConvolution::GatedConvolution(int width, int kernel, int before, mx::Dtype type)
    : width_(width),
      kernel_(kernel),
      type_(type),
      run_(mx::fast::cuda_kernel("parakeet_convolution", {"numbers", "both", "past", "taps", "bias"},
                                 {"convolved", "y"}, callFor(width, kernel, before),
                                 std::string(bfloat16Source) + gatedConvolutionSource)) {}

mx::array GatedConvolution::numbersOf(int frames, bool hasPast, bool keeps, const std::vector<int>& counts) {
  std::vector<int32_t> numbers{frames, hasPast, keeps};
  numbers.insert(numbers.end(), counts.begin(), counts.end());
  return uploaded(numbers, {static_cast<int>(numbers.size())});
}

GatedConvolution::Output GatedConvolution::operator()(const mx::array& numbers, const mx::array& both,
                                                      const std::optional<mx::array>& past, bool keeps,
                                                      const mx::array& taps, const mx::array& bias) const {
  const int items = both.shape(0), frames = both.shape(1);
  const mx::array values = mx::view(both, bitsOf(type_));
  // Without a past nothing of it is read.
  const mx::array before = past ? mx::view(*past, bitsOf(type_)) : values;
  const mx::Shape whole{items, frames + kernel_ - 1, width_};
  const std::vector<mx::array> outputs =
      run_({numbers, values, before, taps, bias}, {keeps ? whole : mx::Shape{1, 1, width_}, {items, frames, width_}},
           {bitsOf(type_), bitsOf(type_)},
           {(width_ + threads - 1) / threads * threads, (frames + framesOfThread - 1) / framesOfThread, items},
           {threads, 1, 1}, {}, std::nullopt, false, {});
  return {mx::view(outputs[1], type_), mx::view(outputs[0], type_)};
}

}  // namespace parakeet::ops
