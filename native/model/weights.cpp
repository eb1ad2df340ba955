#include "model/weights.h"

#include <utility>

#include "error.h"
#include "model/mapped_file.h"
#include "model/mutant.h"

namespace parakeet {
namespace {

constexpr const char* invalidWeights = "ERR_PARAKEET_INVALID_WEIGHTS";

[[noreturn]] void fail(const std::string& message) { throw Error(invalidWeights, message); }

std::string shapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); i++) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

uint64_t countOf(const std::vector<int64_t>& shape) {
  uint64_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<uint64_t>(dimension);
  return count;
}

}  // namespace

Weights::Weights(std::vector<TensorEntry> entries) {
  if (!entries.empty()) path_ = entries.front().path;
  for (auto& entry : entries) {
    auto& mapping = mappings_[entry.path];
    if (!mapping) mapping = std::make_shared<const MappedFile>(entry.path, invalidWeights);
    if (entry.offset > mapping->size() || entry.bytes > mapping->size() - entry.offset) {
      fail("Tensor '" + entry.name + "' in " + entry.path + " ends at byte " +
           std::to_string(entry.offset + entry.bytes) + " but the file has " + std::to_string(mapping->size()) +
           ": it is truncated. Fetch it again.");
    }
    entries_[entry.name].push_back(std::move(entry));
  }
}

Weights::~Weights() = default;

const std::vector<TensorEntry>& Weights::find(const std::string& name, const std::vector<int64_t>& shape) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    fail("Expected tensor '" + name + "' of shape " + shapeText(shape) + " in " + path_ + " but it is missing");
  }
  const uint64_t count = countOf(shape);
  for (const TensorEntry& entry : found->second) {
    if (entry.shape != shape) {
      fail("Expected tensor '" + name + "' of shape " + shapeText(shape) + " in " + entry.path + " but found " +
           shapeText(entry.shape));
    }
    const uint64_t needed = ops::storedBytes(entry.type, count);
    if (needed != entry.bytes) {
      fail("Tensor '" + name + "' in " + entry.path + " has " + std::to_string(entry.bytes) + " bytes but its shape " +
           shapeText(shape) + " needs " + std::to_string(needed));
    }
  }
  return found->second;
}

std::vector<float> Weights::take(const std::string& name, const std::vector<int64_t>& shape) const {
  std::vector<float> sum;
  for (const TensorEntry& entry : find(name, shape)) {
    std::vector<float> values = view(entry).values();
    if (sum.empty()) {
      sum = std::move(values);
      continue;
    }
    if (mutant("bias-halved")) break;
    for (size_t i = 0; i < sum.size(); i++) sum[i] += values[i];
  }
  return sum;
}

ops::WeightRows Weights::rows(const std::string& name, const std::vector<int64_t>& shape) const {
  const auto& summands = find(name, shape);
  if (summands.size() == 1) return view(summands.front());
  return {take(name, shape), static_cast<int>(countOf(shape) / static_cast<uint64_t>(shape.at(0)))};
}

// Rows are what has a scale in common; a tensor without dimensions is one.
ops::WeightRows Weights::view(const TensorEntry& entry) const {
  const std::shared_ptr<const MappedFile>& mapping = mappings_.at(entry.path);
  const int64_t rows = entry.shape.empty() ? 1 : entry.shape[0];
  const uint64_t count = countOf(entry.shape), columns = rows > 0 ? count / static_cast<uint64_t>(rows) : 0;
  std::vector<float> scale;
  if (ops::hasScale(entry.type)) scale = take(entry.name + "_scale", {rows});
  const unsigned char* stored = mapping->data() + entry.offset;
  const std::shared_ptr<const void> pages(
      stored, [mapping, offset = entry.offset, bytes = entry.bytes](const void*) { mapping->release(offset, bytes); });
  return {entry.type, stored, static_cast<int>(rows), static_cast<int>(columns), std::move(scale), pages};
}

}  // namespace parakeet
