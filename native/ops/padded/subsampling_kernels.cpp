#include "ops/padded/subsampling_kernels.h"

#include <algorithm>
#include <string>

#include "bfloat16_source.h"
#include "ops/cuda_driver.h"
#include "ops/transfer.h"
#include "ops/types.h"
#include "subsampling_source.h"

namespace parakeet::ops {
namespace {

constexpr int mostThreads = 256, columnsOfBlock = 16;  // the latter as in subsampling.cuh

const std::vector<std::string> inputNames{"numbers", "x", "weights"};

mx::fast::CustomKernelFunction compiled(const std::string& name, const std::string& call) {
  return mx::fast::cuda_kernel("parakeet_subsampling_" + name, inputNames, {"y"}, "  parakeet_subsampling::" + call,
                               std::string(bfloat16Source) + subsamplingSource);
}

std::string list(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return text;
}

mx::array weightsOf(const std::vector<float>& values, int channels) {
  return fromVector(values, {static_cast<int>(values.size()) / channels, channels});
}

std::vector<float> joined(std::vector<float> first, const std::vector<float>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

std::shared_ptr<const SubsamplingKernels> SubsamplingKernels::make(int channels, int padding, int width,
                                                                   const Taps& first,
                                                                   const std::vector<Taps>& depthwise, mx::Dtype type) {
  if (!CudaDriver::instance() || depthwise.empty()) return nullptr;
  return std::shared_ptr<const SubsamplingKernels>(
      new SubsamplingKernels(channels, padding, width, first, depthwise, type));
}

SubsamplingKernels::SubsamplingKernels(int channels, int padding, int width, const Taps& first,
                                       const std::vector<Taps>& depthwise, mx::Dtype type)
    : channels_(channels),
      type_(type),
      first_(compiled("first", "firstTwo<" + list({channels, padding, width}) + ">(numbers, x, weights, y);")),
      firstWeights_(weightsOf(joined(first, depthwise[0]), channels)) {
  std::vector<mx::array> made{firstWeights_};
  for (size_t i = 1; i < depthwise.size(); i++) {
    const std::string level = std::to_string(i + 1);
    levels_.push_back(
        {compiled(level, "depthwise<" + list({channels, padding}) + ">(numbers, " + level + ", x, weights, y);"),
         weightsOf(depthwise[i], channels)});
    made.push_back(levels_.back().weights);
  }
  mx::eval(made);
}

mx::array SubsamplingKernels::run(const mx::fast::CustomKernelFunction& kernel, const Sizes& sizes,
                                  const std::vector<int>& limits, const mx::array& x, const mx::array& weights) const {
  std::vector<int32_t> numbers{sizes.levels, sizes.rows, sizes.columns, sizes.rowsOut, sizes.columnsOut};
  numbers.insert(numbers.end(), limits.begin(), limits.end());
  const int items = x.shape(0), threads = std::min(mostThreads, (channels_ + 31) / 32 * 32);
  const int blocks = (sizes.columnsOut + columnsOfBlock - 1) / columnsOfBlock;
  const mx::array y =
      kernel({uploaded(numbers, {static_cast<int>(numbers.size())}), mx::view(x, bitsOf(type_)), weights},
             {{items, sizes.rowsOut, sizes.columnsOut, channels_}}, {bitsOf(type_)},
             {blocks * threads, sizes.rowsOut, items}, {threads, 1, 1}, {}, std::nullopt, false, {})[0];
  return mx::view(y, type_);
}

mx::array SubsamplingKernels::firstTwo(const Sizes& sizes, const std::vector<int>& limits, const mx::array& mel) const {
  return run(first_, sizes, limits, mel, firstWeights_);
}

mx::array SubsamplingKernels::depthwise(const Sizes& sizes, const std::vector<int>& limits, int level,
                                        const mx::array& x) const {
  const Level& own = levels_[level - 3];
  return run(own.run, sizes, limits, x, own.weights);
}

}  // namespace parakeet::ops
