// Serialises a stream's state to bytes and back, in this machine's byte order: the content of snapshots. One function
// of a class lists its fields for both directions. Not an exchange format: neither for other programs nor for other
// versions of this one.
#pragma once

#include <mlx/mlx.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

#include "error.h"

namespace parakeet {

// A class that lists its fields.
template <class T, class Archive>
concept Listed = requires(T& value, Archive& archive) { value.archive(archive); };
// A value that is copied as it is.
template <class T, class Archive>
concept Plain = std::is_trivially_copyable_v<T> && !
Listed<T, Archive>;

class ArchiveWriter {
 public:
  static constexpr bool writing = true;

  template <class... Fields>
  void operator()(Fields&... fields) {
    (put(fields), ...);
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  template <Plain<ArchiveWriter> T>
  void put(T& value) {
    append(&value, sizeof value);
  }
  template <class T>
  void put(std::vector<T>& values) {
    uint64_t count = values.size();
    put(count);
    if constexpr (Plain<T, ArchiveWriter>) {
      append(values.data(), count * sizeof(T));
    } else {
      for (T& value : values) put(value);
    }
  }
  void put(std::optional<mlx::core::array>& array) {
    int32_t rows = array ? array->shape(0) : -1, columns = array ? array->shape(1) : 0;
    put(rows);
    put(columns);
    if (!array) return;
    mlx::core::array plain = mlx::core::contiguous(*array);
    plain.eval();
    append(plain.data<float>(), plain.nbytes());
  }
  template <Listed<ArchiveWriter> T>
  void put(T& value) {
    value.archive(*this);
  }
  void append(const void* data, size_t count) {
    const auto* from = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), from, from + count);
  }

  std::vector<uint8_t> bytes_;
};

// Throws ERR_PARAKEET_INVALID_SNAPSHOT when the bytes do not hold what is asked for.
class ArchiveReader {
 public:
  static constexpr bool writing = false;

  ArchiveReader(const uint8_t* data, size_t size) : at_(data), left_(size) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (get(fields), ...);
  }
  void finish() const {
    if (left_ != 0) fail();
  }
  // A field must have this value: another one would be read past its end.
  static void require(bool holds) {
    if (!holds) fail();
  }

 private:
  template <Plain<ArchiveReader> T>
  void get(T& value) {
    // Any other byte in a bool is undefined behaviour.
    if constexpr (std::is_same_v<T, bool>) require(left_ > 0 && *at_ <= 1);
    copy(&value, sizeof value);
  }
  template <class T>
  void get(std::vector<T>& values) {
    uint64_t count = 0;
    get(count);
    if constexpr (Plain<T, ArchiveReader>) {
      if (count > left_ / sizeof(T)) fail();
      values.resize(count);
      copy(values.data(), count * sizeof(T));
    } else {
      // Each takes a byte at least.
      if (count > left_) fail();
      values.resize(count);
      for (T& value : values) get(value);
    }
  }
  void get(std::optional<mlx::core::array>& array) {
    int32_t rows = 0, columns = 0;
    get(rows);
    get(columns);
    array.reset();
    if (rows < 0) return;
    const size_t count = static_cast<size_t>(rows) * static_cast<size_t>(columns < 0 ? 0 : columns);
    if (columns < 0 || count > left_ / sizeof(float)) fail();
    std::vector<float> values(count);
    copy(values.data(), count * sizeof(float));
    array = mlx::core::array(values.begin(), {rows, columns});
  }
  template <Listed<ArchiveReader> T>
  void get(T& value) {
    value.archive(*this);
  }
  void copy(void* to, size_t count) {
    if (count > left_) fail();
    if (count > 0) std::memcpy(to, at_, count);
    at_ += count;
    left_ -= count;
  }
  [[noreturn]] static void fail() {
    throw Error("ERR_PARAKEET_INVALID_SNAPSHOT",
                "Expected a snapshot of this model's streams but its contents do not fit");
  }

  const uint8_t* at_;
  size_t left_;
};

}  // namespace parakeet
