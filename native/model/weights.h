// Tensors of one file or several, memory-mapped, handed out as float32 and checked by shape. The caller finds out which
// tensor lies where (src/model/formats/); offsets are checked here against the files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ops/weight_rows.h"

namespace parakeet {

class MappedFile;

// i8, i4: of our quantised folders, each row with a scale in the float tensor `<name>_scale`.
using ops::StoredType;

struct TensorEntry {
  std::string name;
  std::string path;  // its file
  StoredType type = StoredType::f32;
  std::vector<int64_t> shape;
  uint64_t offset = 0;  // bytes from the start of the file
  uint64_t bytes = 0;
  // Of a matrix that was packed for a machine: `shape` is that of its PackedLayout.
  std::optional<uint32_t> checksum = std::nullopt;  // ops::checksumOf its panels
};

class Weights {
 public:
  // Maps the entries' files. Entries with the same name are summed (PyTorch keeps an LSTM's bias as two). Throws
  // ERR_PARAKEET_INVALID_WEIGHTS when a tensor lies outside its file.
  explicit Weights(std::vector<TensorEntry> entries);
  ~Weights();
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // The tensor's values as float32, row-major. Throws ERR_PARAKEET_INVALID_WEIGHTS with the tensor's name, the expected
  // and the found shape when it is missing or of another shape. The files' pages are released again.
  std::vector<float> take(const std::string& name, const std::vector<int64_t>& shape) const;
  // The same as a matrix of shape[0] rows, read where it is. The pages are released when the last copy is gone. Throws
  // also when a packed matrix has changed since it was written.
  ops::WeightRows rows(const std::string& name, const std::vector<int64_t>& shape) const;
  bool has(const std::string& name) const { return entries_.count(name) != 0; }

 private:
  const std::vector<TensorEntry>& find(const std::string& name, const std::vector<int64_t>& shape) const;
  ops::WeightRows view(const TensorEntry& entry, const std::vector<int64_t>& shape) const;

  std::string path_;  // of the first file, for errors
  std::unordered_map<std::string, std::shared_ptr<const MappedFile>> mappings_;
  std::unordered_map<std::string, std::vector<TensorEntry>> entries_;
};

}  // namespace parakeet
