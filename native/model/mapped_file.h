// A file in memory, to be read: the system loads its pages as they are touched.
#pragma once

#include <cstdint>
#include <string>

namespace parakeet {

class MappedFile {
 public:
  // `path` is UTF-8. Throws an Error with this code for a file that cannot be read, or is empty.
  MappedFile(const std::string& path, const char* code);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const unsigned char* data() const { return static_cast<const unsigned char*>(address_); }
  uint64_t size() const { return size_; }

  // Brings the pages of the range into memory at once, where the system can: sooner than one by one as they are
  // touched.
  void fetch(uint64_t offset, uint64_t bytes) const;
  // Releases the pages that lie wholly within the range; they are read from the file again when needed.
  void release(uint64_t offset, uint64_t bytes) const;

 private:
  void* address_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace parakeet
