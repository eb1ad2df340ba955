#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/key_value_log.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "ops/cpu/aligned.h"
#include "ops/cpu/attention_rows.h"
#include "ops/cpu/pointwise.h"

namespace parakeet::ops {
namespace {

// Memory of logs. A stream that moves to a new log leaves memory for the next one that does: the system would clear its
// pages anew each time.
class SpareMemory {
 public:
  AlignedBytes take(size_t size) {
    const std::lock_guard lock(mutex_);
    Spare& spare = spare_[size];
    spare.lastTaken = ++taken_;
    if (spare.memory.empty()) {
      AlignedBytes memory(size);
      used_ += size;
      return memory;
    }
    AlignedBytes memory = std::move(spare.memory.back());
    spare.memory.pop_back();
    kept_ -= size;
    used_ += size;
    return memory;
  }

  void give(AlignedBytes memory, size_t size) {
    const std::lock_guard lock(mutex_);
    used_ -= size;
    spare_[size].memory.push_back(std::move(memory));
    kept_ += size;
    while (kept_ > used_ / partKept) drop();
  }

 private:
  // Of what is in use so much may be there unused.
  static constexpr size_t partKept = 4;

  struct Spare {
    std::vector<AlignedBytes> memory;
    uint64_t lastTaken = 0;
  };

  // Of the size that nobody has asked for the longest.
  void drop() {
    const auto oldest = std::min_element(spare_.begin(), spare_.end(), [](const auto& one, const auto& other) {
      return one.second.lastTaken < other.second.lastTaken;
    });
    auto& [size, spare] = *oldest;
    if (!spare.memory.empty()) {
      spare.memory.pop_back();
      kept_ -= size;
    }
    if (spare.memory.empty()) spare_.erase(oldest);
  }

  std::mutex mutex_;
  std::map<size_t, Spare> spare_;  // by size in bytes
  size_t used_ = 0, kept_ = 0;
  uint64_t taken_ = 0;
};

SpareMemory& spareMemory() {
  static auto* memory = new SpareMemory;  // streams may be dropped while the process ends
  return *memory;
}

}  // namespace

class KeyValueLog::Memory {
 public:
  explicit Memory(size_t size) : size_(size), bytes_(spareMemory().take(size)) {}
  ~Memory() { spareMemory().give(std::move(bytes_), size_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* data() { return static_cast<char*>(bytes_.grown(size_)); }

 private:
  size_t size_;
  AlignedBytes bytes_;
};

KeyValueLog::KeyValueLog(const KeyValueShape& shape, int room) : shape_(shape) {
  const int rows = std::max(tileColumns, groupAlignment(shape.kind) * groupSize(shape.kind));
  room_ = ceilDivide(room, rows) * rows;
  keyGroups_ = paddedGroups(shape.kind, shape.size);
  valuePanels_ = ceilDivide(shape.size, tileColumns);
  headKeyBytes_ = room_ / tileColumns * panelBytes(keyGroups_);
  headBytes_ = headKeyBytes_ + valuePanels_ * valuePanelBytes();
  memory_ = std::make_shared<Memory>(shape.heads * headBytes_);
}

size_t KeyValueLog::valuePanelBytes() const { return panelBytes(room_ / groupSize(shape_.kind)); }
char* KeyValueLog::headKeys(int head) const { return memory_->data() + head * headBytes_; }
char* KeyValueLog::headValues(int head) const { return headKeys(head) + headKeyBytes_; }

Panels KeyValueLog::keys(int head) const { return {headKeys(head), keyGroups_, panelBytes(keyGroups_)}; }
Panels KeyValueLog::values(int head) const {
  return {headValues(head), room_ / groupSize(shape_.kind), valuePanelBytes()};
}

void KeyValueLog::write(int head, int row, int count, const float* keys, const float* values, size_t stride) {
  writeKeys(headKeys(head), row, count, keys, stride);
  writeValues(headValues(head), row, count, values, stride);
}

void KeyValueLog::writeKeys(char* packed, int row, int count, const float* keys, size_t stride) const {
  thread_local AlignedBytes memory;
  auto* groups = static_cast<uint32_t*>(memory.grown(static_cast<size_t>(keyGroups_) * sizeof(uint32_t)));
  const size_t used = static_cast<size_t>(shape_.size) * 4 / groupSize(shape_.kind);
  std::memset(reinterpret_cast<char*>(groups) + used, 0, keyGroups_ * sizeof(uint32_t) - used);
  for (int i = 0; i < count; i++, keys += stride) {
    if (shape_.kind == ProductKind::bfloat16)
      toBfloat16(keys, reinterpret_cast<uint16_t*>(groups), shape_.size);
    else
      std::memcpy(groups, keys, used);
    const int panel = (row + i) / tileColumns, column = (row + i) % tileColumns;
    auto* to = reinterpret_cast<uint32_t*>(packed + panel * panelBytes(keyGroups_)) + column;
    for (int group = 0; group < keyGroups_; group++) to[static_cast<ptrdiff_t>(group) * tileColumns] = groups[group];
  }
}

void KeyValueLog::writeValues(char* packed, int row, int count, const float* values, size_t stride) const {
  // A group that the past shares is written in part.
  const int shared = count > 0 ? row % groupSize(shape_.kind) : 0, first = row + shared;
  thread_local std::vector<const float*> rows;
  rows.clear();
  for (int i = shared; i < count; i++) rows.push_back(values + i * stride);
  const int end = ceilDivide(row + count, tileColumns) * tileColumns;
  for (int panel = 0; panel < valuePanels_; panel++) {
    char* to = packed + panel * valuePanelBytes();
    const int column = panel * tileColumns;
    if (shared > 0) {
      uint16_t narrow[tileColumns] = {};
      toBfloat16(values + column, narrow, std::min(tileColumns, shape_.size - column));
      auto* group = reinterpret_cast<uint16_t*>(to + panelBytes(row / 2));
      for (int c = 0; c < tileColumns; c++) group[2 * c + 1] = narrow[c];
    }
    const int groups = (end - first) / groupSize(shape_.kind);
    packInner(shape_.kind, rows.data(), static_cast<int>(rows.size()), column, shape_.size, groups,
              to + panelBytes(first / groupSize(shape_.kind)));
  }
}

void KeyValueLog::copy(int head, const KeyValueLog& other, int from, int count) {
  const int panels = ceilDivide(count, tileColumns), rows = panels * tileColumns;
  const size_t keyPanel = panelBytes(keyGroups_);
  std::memcpy(headKeys(head), other.headKeys(head) + from / tileColumns * keyPanel, panels * keyPanel);
  for (int panel = 0; panel < valuePanels_; panel++)
    std::memcpy(headValues(head) + panel * valuePanelBytes(),
                other.headValues(head) + panel * other.valuePanelBytes() + panelBytes(from / groupSize(shape_.kind)),
                panelBytes(rows / groupSize(shape_.kind)));
}

void KeyValueLog::read(int row, int count, float* keys, float* values) const {
  const int per = groupSize(shape_.kind), size = shape_.size;
  // Value `part` of the group at `group`.
  const auto valueAt = [&](const char* group, int part) {
    float value;
    if (shape_.kind == ProductKind::bfloat16)
      fromBfloat16(reinterpret_cast<const uint16_t*>(group) + part, &value, 1);
    else
      std::memcpy(&value, group, sizeof value);
    return value;
  };
  for (int i = 0; i < count; i++) {
    const int at = row + i;
    for (int head = 0; head < shape_.heads; head++) {
      const char* ownKeys = headKeys(head) + at / tileColumns * panelBytes(keyGroups_) + at % tileColumns * 4;
      for (int v = 0; v < size; v++) {
        *keys++ = valueAt(ownKeys + panelBytes(v / per), v % per);
        const char* panel = headValues(head) + v / tileColumns * valuePanelBytes();
        *values++ = valueAt(panel + panelBytes(at / per) + v % tileColumns * 4, at % per);
      }
    }
  }
}

}  // namespace parakeet::ops

#endif
