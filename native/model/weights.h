// Tensors of a safetensors file, memory-mapped, handed out as float32 and checked by shape.
// The file's header is read by the caller (src/model/safetensors.ts); offsets are checked here against the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace parakeet {

enum class StoredType { f32, f16, bf16 };

struct TensorEntry {
  std::string name;
  StoredType type = StoredType::f32;
  std::vector<int64_t> shape;
  uint64_t offset = 0;  // bytes from the start of the file
  uint64_t bytes = 0;
};

class Weights {
 public:
  // Maps `path`. Throws ERR_PARAKEET_INVALID_WEIGHTS when a tensor lies outside the file.
  Weights(const std::string& path, std::vector<TensorEntry> entries);
  ~Weights();
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // The tensor's values as float32, row-major. Throws ERR_PARAKEET_INVALID_WEIGHTS with the tensor's name, the expected
  // and the found shape when it is missing or of another shape. The file's pages are let go again.
  std::vector<float> take(const std::string& name, const std::vector<int64_t>& shape) const;
  bool has(const std::string& name) const { return entries_.count(name) != 0; }

 private:
  class Mapping;
  std::string path_;
  std::unique_ptr<Mapping> mapping_;
  std::unordered_map<std::string, TensorEntry> entries_;
};

}  // namespace parakeet
