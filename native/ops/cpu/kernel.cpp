#include "ops/cpu/kernel.h"

#include <mlx/backend/cpu/encoder.h>

#include <stdexcept>

#include "ops/profile.h"

namespace parakeet::ops {
namespace mx = mlx::core;
namespace {

class CpuKernel : public mx::Primitive {
 public:
  CpuKernel(mx::Stream stream, const char* name, KernelsFunction run)
      : mx::Primitive(stream), name_(name), run_(std::move(run)), part_(PartScope::current()) {}

  const char* name() const override { return name_; }

  void eval_cpu(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& encoder = mx::cpu::get_command_encoder(stream());
    std::vector<float*> results;
    for (mx::array& output : outputs) {
      output.set_data(mx::allocator::malloc(output.nbytes()));
      encoder.set_output_array(output);
      results.push_back(output.data<float>());
    }
    std::vector<const float*> pointers;
    for (const mx::array& input : inputs) {
      // Rows of a larger array lie together: they are read where they are. Nothing else reaches a kernel of ours.
      if (!input.flags().row_contiguous) throw std::logic_error("A CPU kernel was given a strided array");
      encoder.set_input_array(input);
      pointers.push_back(input.data<float>());
    }
    encoder.dispatch([run = run_, part = part_, pointers = std::move(pointers), results = std::move(results)] {
      const PartScope scope(part);
      const PartTimer timer(part);
      run(pointers, results);
    });
  }

  void eval_gpu(const std::vector<mx::array>&, std::vector<mx::array>&) override {
    throw std::logic_error("A CPU kernel was put on a GPU stream");
  }

 private:
  const char* name_;
  KernelsFunction run_;
  Part part_;
};

}  // namespace

std::vector<mx::array> cpuKernels(const char* name, std::vector<mx::array> inputs, std::vector<mx::Shape> shapes,
                                  KernelsFunction run) {
  const mx::Stream stream = mx::default_stream(mx::Device::cpu);
  const std::vector<mx::Dtype> types(shapes.size(), mx::float32);
  return mx::array::make_arrays(std::move(shapes), types, std::make_shared<CpuKernel>(stream, name, std::move(run)),
                                inputs);
}

mx::array cpuKernel(const char* name, std::vector<mx::array> inputs, mx::Shape shape, KernelFunction run) {
  return cpuKernels(name, std::move(inputs), {std::move(shape)},
                    [run = std::move(run)](const std::vector<const float*>& inputs,
                                           const std::vector<float*>& outputs) { run(inputs, outputs[0]); })[0];
}

}  // namespace parakeet::ops
