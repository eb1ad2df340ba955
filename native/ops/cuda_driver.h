// NVIDIA's driver, as far as MLX does not wrap it. Loaded at run time, so that the addon needs no CUDA toolkit.
#pragma once

#include <cstddef>
#include <optional>

namespace parakeet::ops {

class CudaDriver {
 public:
  // Null where MLX does not compute on a CUDA card, or its driver lacks a function.
  static const CudaDriver* instance();

  // Memory of the host that the card can read; null when there is none. It is never freed.
  void* hostMemory(size_t bytes) const;
  // Copies from the card's memory and waits. False when it fails.
  bool copyToHost(void* to, const void* from, size_t bytes) const;
  int multiprocessors() const { return multiprocessors_; }

 private:
  CudaDriver() = default;
  static std::optional<CudaDriver> load();
  bool enter() const;

  int (*setContext_)(void* context) = nullptr;
  int (*allocateHost_)(void** memory, size_t bytes, unsigned flags) = nullptr;
  int (*copyToHost_)(void* to, unsigned long long from, size_t bytes) = nullptr;
  void* context_ = nullptr;
  int multiprocessors_ = 0;
};

}  // namespace parakeet::ops
