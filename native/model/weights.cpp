#include "model/weights.h"

#include <bit>
#include <cmath>
#include <cstring>

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

uint64_t sizeOf(StoredType type) { return type == StoredType::f32 ? 4 : type == StoredType::i8 ? 1 : 2; }

float fromHalf(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1f;
  const uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: fraction × 2^-24
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -value : value;
  }
  const uint32_t bits =
      exponent == 31 ? sign | 0x7f800000 | (fraction << 13) : sign | ((exponent + 112) << 23) | (fraction << 13);
  return std::bit_cast<float>(bits);
}

}  // namespace

Weights::Weights(std::vector<TensorEntry> entries) {
  if (!entries.empty()) path_ = entries.front().path;
  for (auto& entry : entries) {
    auto& mapping = mappings_[entry.path];
    if (!mapping) mapping = std::make_unique<MappedFile>(entry.path, invalidWeights);
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
  uint64_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<uint64_t>(dimension);
  for (const TensorEntry& entry : found->second) {
    if (entry.shape != shape) {
      fail("Expected tensor '" + name + "' of shape " + shapeText(shape) + " in " + entry.path + " but found " +
           shapeText(entry.shape));
    }
    if (count * sizeOf(entry.type) != entry.bytes) {
      fail("Tensor '" + name + "' in " + entry.path + " has " + std::to_string(entry.bytes) + " bytes but its shape " +
           shapeText(shape) + " needs " + std::to_string(count * sizeOf(entry.type)));
    }
  }
  return found->second;
}

std::vector<float> Weights::take(const std::string& name, const std::vector<int64_t>& shape) const {
  uint64_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<uint64_t>(dimension);
  const auto& summands = find(name, shape);
  std::vector<float> values(count);
  for (const TensorEntry& entry : summands) {
    add(entry, values);
    if (mutant("bias-halved")) break;
  }
  return values;
}

void Weights::add(const TensorEntry& entry, std::vector<float>& sum) const {
  const MappedFile& mapping = *mappings_.at(entry.path);
  const unsigned char* bytes = mapping.data() + entry.offset;
  const auto addAll = [&]<class Stored>(Stored raw, auto widen) {
    for (size_t i = 0; i < sum.size(); i++) {
      std::memcpy(&raw, bytes + i * sizeof raw, sizeof raw);
      sum[i] += widen(raw);
    }
  };
  switch (entry.type) {
    case StoredType::f32:
      addAll(float{}, [](float raw) { return raw; });
      break;
    case StoredType::bf16:
      addAll(uint16_t{}, [](uint16_t raw) { return std::bit_cast<float>(uint32_t(raw) << 16); });
      break;
    case StoredType::f16:
      addAll(uint16_t{}, fromHalf);
      break;
    case StoredType::i8: {
      const auto rows = static_cast<size_t>(entry.shape.empty() ? 1 : entry.shape[0]);
      const std::vector<float> scale = take(entry.name + "_scale", {static_cast<int64_t>(rows)});
      const size_t columns = rows ? sum.size() / rows : 0;
      for (size_t row = 0, i = 0; row < rows; row++) {
        for (const size_t end = i + columns; i < end; i++)
          sum[i] += scale[row] * static_cast<float>(std::bit_cast<int8_t>(bytes[i]));
      }
      break;
    }
  }
  mapping.release(entry.offset, entry.bytes);
}

}  // namespace parakeet
