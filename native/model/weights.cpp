#include "model/weights.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "error.h"
#include "model/mapped_file.h"
#include "model/mutant.h"
#include "ops/checksum.h"

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

// Limits that no matrix comes near, and that keep the product of all in 64 bits.
bool isLayout(const TensorEntry& entry) {
  constexpr int64_t limits[] = {1 << 20, 1 << 20, 2, 256, 8};
  if (entry.type == StoredType::i4 || entry.shape.size() != std::size(limits)) return false;
  return std::equal(entry.shape.begin(), entry.shape.end(), limits,
                    [](int64_t n, int64_t limit) { return n > 0 && n <= limit; });
}

ops::PackedLayout layoutOf(const TensorEntry& entry) {
  const auto at = [&](size_t i) { return static_cast<int>(entry.shape[i]); };
  return {at(0), at(1), at(2), at(3), at(4)};
}

// Whether a matrix of this shape is packed so.
bool holds(const ops::PackedLayout& layout, const std::vector<int64_t>& shape) {
  if (shape.size() < 2) return false;
  const int64_t rows = shape[0], columns = static_cast<int64_t>(countOf(shape)) / std::max<int64_t>(rows, 1);
  const int64_t width = rows / layout.halves;
  return rows % layout.halves == 0 && columns <= layout.inputs() &&
         layout.panels == (width + layout.columns - 1) / layout.columns;
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
    if (entry.checksum && !isLayout(entry)) {
      fail("Tensor '" + entry.name + "' in " + entry.path + " is packed in a way that this version does not know: " +
           shapeText(entry.shape) + ". Convert the model again.");
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
  for (const TensorEntry& entry : found->second) {
    if (entry.checksum ? !holds(layoutOf(entry), shape) : entry.shape != shape) {
      fail("Expected tensor '" + name + "' of shape " + shapeText(shape) + " in " + entry.path + " but found " +
           shapeText(entry.shape));
    }
    const uint64_t needed = ops::storedBytes(entry.type, countOf(entry.shape));
    if (needed != entry.bytes) {
      fail("Tensor '" + name + "' in " + entry.path + " has " + std::to_string(entry.bytes) + " bytes but its shape " +
           shapeText(entry.shape) + " needs " + std::to_string(needed));
    }
  }
  return found->second;
}

std::vector<float> Weights::take(const std::string& name, const std::vector<int64_t>& shape) const {
  std::vector<float> sum;
  for (const TensorEntry& entry : find(name, shape)) {
    std::vector<float> values = view(entry, shape).values();
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
  if (summands.size() == 1) return view(summands.front(), shape);
  return {take(name, shape), static_cast<int>(countOf(shape) / static_cast<uint64_t>(shape.at(0)))};
}

// Rows are what has a scale in common; a tensor without dimensions is one.
ops::WeightRows Weights::view(const TensorEntry& entry, const std::vector<int64_t>& shape) const {
  const std::shared_ptr<const MappedFile>& mapping = mappings_.at(entry.path);
  const int64_t rows = shape.empty() ? 1 : shape[0];
  const uint64_t count = countOf(shape), columns = rows > 0 ? count / static_cast<uint64_t>(rows) : 0;
  std::vector<float> scale;
  if (ops::hasScale(entry.type)) scale = take(entry.name + "_scale", {rows});
  const unsigned char* stored = mapping->data() + entry.offset;
  const std::shared_ptr<const void> pages(
      stored, [mapping, offset = entry.offset, bytes = entry.bytes](const void*) { mapping->release(offset, bytes); });
  const auto height = static_cast<int>(rows), width = static_cast<int>(columns);
  if (!entry.checksum) return {entry.type, stored, height, width, std::move(scale), pages};
  const ops::PackedLayout layout = layoutOf(entry);
  mapping->fetch(entry.offset, entry.bytes);
  if (ops::checksumOf(stored, entry.bytes / layout.panels, layout.panels) != *entry.checksum) {
    fail("Tensor '" + entry.name + "' in " + entry.path +
         " is not what was written: its checksum differs. The file is damaged; convert the model again.");
  }
  return {entry.type, stored, layout, height, width, std::move(scale), pages};
}

}  // namespace parakeet
