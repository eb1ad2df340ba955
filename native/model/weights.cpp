#include "model/weights.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "model/error.h"

namespace parakeet {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error("ERR_PARAKEET_INVALID_WEIGHTS", message); }

std::string shapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); i++) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

uint64_t sizeOf(StoredType type) { return type == StoredType::f32 ? 4 : 2; }

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

class Weights::Mapping {
 public:
  explicit Mapping(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail("Cannot open " + path + ": " + std::strerror(errno));
    struct stat status {};
    const bool known = ::fstat(descriptor, &status) == 0;
    size_ = known ? static_cast<uint64_t>(status.st_size) : 0;
    void* address = size_ ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    const int error = errno;
    ::close(descriptor);
    if (address == MAP_FAILED)
      fail("Cannot map " + path + " (" + std::to_string(size_) + " bytes): " + std::strerror(error));
    address_ = address;
  }
  ~Mapping() { ::munmap(address_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const unsigned char* data() const { return static_cast<const unsigned char*>(address_); }
  uint64_t size() const { return size_; }

  // Lets go of the pages that lie wholly within the range: they are read again from the file if they are wanted again.
  void release(uint64_t offset, uint64_t bytes) const {
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t begin = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
    if (begin < end) ::madvise(static_cast<unsigned char*>(address_) + begin, end - begin, MADV_DONTNEED);
  }

 private:
  void* address_ = nullptr;
  uint64_t size_ = 0;
};

Weights::Weights(const std::string& path, std::vector<TensorEntry> entries)
    : path_(path), mapping_(std::make_unique<Mapping>(path)) {
  for (auto& entry : entries) {
    if (entry.offset > mapping_->size() || entry.bytes > mapping_->size() - entry.offset) {
      fail("Tensor '" + entry.name + "' in " + path + " ends at byte " + std::to_string(entry.offset + entry.bytes) +
           " but the file has " + std::to_string(mapping_->size()) + ": it is truncated. Fetch it again.");
    }
    entries_.emplace(entry.name, std::move(entry));
  }
}

Weights::~Weights() = default;

std::vector<float> Weights::take(const std::string& name, const std::vector<int64_t>& shape) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    fail("Expected tensor '" + name + "' of shape " + shapeText(shape) + " in " + path_ + " but it is missing");
  }
  const TensorEntry& entry = found->second;
  if (entry.shape != shape) {
    fail("Expected tensor '" + name + "' of shape " + shapeText(shape) + " in " + path_ + " but found " +
         shapeText(entry.shape));
  }
  uint64_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<uint64_t>(dimension);
  if (count * sizeOf(entry.type) != entry.bytes) {
    fail("Tensor '" + name + "' in " + path_ + " has " + std::to_string(entry.bytes) + " bytes but its shape " +
         shapeText(shape) + " needs " + std::to_string(count * sizeOf(entry.type)));
  }
  std::vector<float> values(count);
  const unsigned char* bytes = mapping_->data() + entry.offset;
  switch (entry.type) {
    case StoredType::f32:
      std::memcpy(values.data(), bytes, entry.bytes);
      break;
    case StoredType::bf16:
      for (uint64_t i = 0; i < count; i++) {
        uint16_t raw = 0;
        std::memcpy(&raw, bytes + 2 * i, 2);
        values[i] = std::bit_cast<float>(uint32_t(raw) << 16);
      }
      break;
    case StoredType::f16:
      for (uint64_t i = 0; i < count; i++) {
        uint16_t raw = 0;
        std::memcpy(&raw, bytes + 2 * i, 2);
        values[i] = fromHalf(raw);
      }
      break;
  }
  mapping_->release(entry.offset, entry.bytes);
  return values;
}

}  // namespace parakeet
