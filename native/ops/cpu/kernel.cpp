#include "ops/cpu/kernel.h"

#include <mlx/backend/cpu/encoder.h>

#include <stdexcept>

#include "ops/profile.h"

namespace parakeet::ops {
namespace mx = mlx::core;
namespace {

class CpuKernel : public mx::Primitive {
 public:
  CpuKernel(mx::Stream stream, const char* name, KernelFunction run)
      : mx::Primitive(stream), name_(name), run_(std::move(run)), part_(PartScope::current()) {}

  const char* name() const override { return name_; }

  void eval_cpu(const std::vector<mx::array>& inputs, std::vector<mx::array>& outputs) override {
    auto& encoder = mx::cpu::get_command_encoder(stream());
    outputs[0].set_data(mx::allocator::malloc(outputs[0].nbytes()));
    std::vector<const float*> pointers;
    for (const mx::array& input : inputs) {
      // Rows of a larger array lie together: they are read where they are. Nothing else reaches a kernel of ours.
      if (!input.flags().row_contiguous) throw std::logic_error("A CPU kernel was given a strided array");
      encoder.set_input_array(input);
      pointers.push_back(input.data<float>());
    }
    encoder.set_output_array(outputs[0]);
    encoder.dispatch([run = run_, part = part_, pointers = std::move(pointers), output = outputs[0].data<float>()] {
      const PartScope scope(part);
      const PartTimer timer(part);
      run(pointers, output);
    });
  }

  void eval_gpu(const std::vector<mx::array>&, std::vector<mx::array>&) override {
    throw std::logic_error("A CPU kernel was put on a GPU stream");
  }

 private:
  const char* name_;
  KernelFunction run_;
  Part part_;
};

}  // namespace

mx::array cpuKernel(const char* name, std::vector<mx::array> inputs, mx::Shape shape, KernelFunction run) {
  const mx::Stream stream = mx::default_stream(mx::Device::cpu);
  return mx::array(std::move(shape), mx::float32, std::make_shared<CpuKernel>(stream, name, std::move(run)),
                   std::move(inputs));
}

}  // namespace parakeet::ops
