#include "model/mapped_file.h"

#include "error.h"

#ifdef _WIN32
#include <windows.h>

#include <system_error>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace parakeet {
namespace {

[[noreturn]] void cannotOpen(const char* code, const std::string& path, const std::string& reason) {
  throw Error(code, "Cannot open " + path + ": " + reason);
}

[[noreturn]] void cannotMap(const char* code, const std::string& path, uint64_t size, const std::string& reason) {
  if (!size) throw Error(code, "Expected a file with content but " + path + " is empty");
  throw Error(code, "Cannot map " + path + " (" + std::to_string(size) + " bytes): " + reason);
}

}  // namespace

#ifdef _WIN32

namespace {

std::string lastError() { return std::system_category().message(static_cast<int>(GetLastError())); }

std::wstring wide(const std::string& text) {
  const auto size = static_cast<int>(text.size());
  std::wstring result(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, result.data(), static_cast<int>(result.size()));
  return result;
}

uint64_t pageSize() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
}

}  // namespace

MappedFile::MappedFile(const std::string& path, const char* code) {
  const HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) cannotOpen(code, path, lastError());
  LARGE_INTEGER size{};
  if (GetFileSizeEx(file, &size)) size_ = static_cast<uint64_t>(size.QuadPart);
  // The view holds the file; neither handle is needed any longer.
  const HANDLE mapping = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
  if (mapping) address_ = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
  const std::string reason = address_ ? "" : lastError();
  if (mapping) CloseHandle(mapping);
  CloseHandle(file);
  if (!address_) cannotMap(code, path, size_, reason);
}

MappedFile::~MappedFile() { UnmapViewOfFile(address_); }

void MappedFile::fetch(uint64_t offset, uint64_t bytes) const {
  WIN32_MEMORY_RANGE_ENTRY range{static_cast<unsigned char*>(address_) + offset, static_cast<SIZE_T>(bytes)};
  PrefetchVirtualMemory(GetCurrentProcess(), 1, &range, 0);
}

void MappedFile::release(uint64_t offset, uint64_t bytes) const {
  static const uint64_t page = pageSize();
  const uint64_t begin = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
  // Of pages that are not locked it only takes them out of the working set (and says that they are not locked).
  if (begin < end) VirtualUnlock(static_cast<unsigned char*>(address_) + begin, end - begin);
}

#else

MappedFile::MappedFile(const std::string& path, const char* code) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) cannotOpen(code, path, std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  size_ = known ? static_cast<uint64_t>(status.st_size) : 0;
  void* address = size_ ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
  const int error = errno;
  ::close(descriptor);
  if (address == MAP_FAILED) cannotMap(code, path, size_, std::strerror(error));
  address_ = address;
}

MappedFile::~MappedFile() { ::munmap(address_, size_); }

void MappedFile::fetch(uint64_t offset, uint64_t bytes) const {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t begin = offset / page * page;
#ifdef MADV_POPULATE_READ
  constexpr int advice = MADV_POPULATE_READ;
#else
  constexpr int advice = MADV_WILLNEED;
#endif
  // An older kernel refuses; nothing is lost but time.
  ::madvise(static_cast<unsigned char*>(address_) + begin, offset + bytes - begin, advice);
}

void MappedFile::release(uint64_t offset, uint64_t bytes) const {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t begin = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
  if (begin < end) ::madvise(static_cast<unsigned char*>(address_) + begin, end - begin, MADV_DONTNEED);
}

#endif

}  // namespace parakeet
