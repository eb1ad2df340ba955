// The log of keys and values: rows come out as they went in, whichever pieces they came in, wherever they are moved to,
// and whatever is written after them; what the product with the values reads beyond them is zeros.
#include "ops/cpu/key_value_log.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "ops/cpu/pointwise.h"
#include "test/cases.h"
#include "test/check.h"

namespace parakeet::test {

#ifdef PARAKEET_CPU_KERNELS

namespace {

using namespace ops;

class Stream {
 public:
  Stream(const KeyValueShape& shape, std::mt19937& random) : shape_(shape), random_(random) {}

  // A step: `claimed` rows that stay, and some that the next step overwrites.
  void step(int claimed, int more) {
    const int count = claimed + more, width = shape_.heads * shape_.size;
    if (!log_ || !log_->canWrite(end_, count)) move(count);
    std::vector<float> keys = values(count * width), values = this->values(count * width);
    for (int head = 0; head < shape_.heads; head++) {
      const int first = head * shape_.size;
      log_->write(head, end_, count, keys.data() + first, values.data() + first, width);
    }
    zerosFollow(end_ + count);
    log_->claim(end_ + claimed);
    end_ += claimed;
    keep(keys_, keys, claimed * width);
    keep(values_, values, claimed * width);
  }

  // Forgets the first rows.
  void drop(int rows) {
    begin_ += rows;
    const size_t some = static_cast<size_t>(rows) * shape_.heads * shape_.size;
    keys_.erase(keys_.begin(), keys_.begin() + some);
    values_.erase(values_.begin(), values_.begin() + some);
  }

  int rows() const { return end_ - begin_; }

  bool asWritten() const { return !log_ || asWritten(*log_, begin_); }

  // Whether the rows are still there after a step that is given up, and after the one that is made in its place.
  bool survivesGivingUp() {
    const Stream before = *this;
    step(3, 1);
    const bool claimed = before.log_ != log_ || !log_->canWrite(before.end_, 1);
    Stream again = before;
    again.step(2, 2);
    return claimed && before.asWritten() && asWritten() && again.asWritten();
  }

 private:
  std::vector<float> values(size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    return values;
  }

  // In the type of the products.
  void keep(std::vector<float>& all, std::vector<float> some, size_t count) const {
    some.resize(count);
    if (shape_.kind == ProductKind::bfloat16) {
      std::vector<uint16_t> narrow(count);
      toBfloat16(some.data(), narrow.data(), count);
      fromBfloat16(narrow.data(), some.data(), count);
    }
    all.insert(all.end(), some.begin(), some.end());
  }

  void move(int count) {
    const int place = begin_ % tileColumns;
    auto moved = std::make_shared<KeyValueLog>(shape_, place + rows() + count + static_cast<int>(random_() % 50));
    for (int head = 0; log_ && head < shape_.heads; head++) moved->copy(head, *log_, begin_ - place, place + rows());
    moved->claim(place + rows());
    end_ = place + rows();
    begin_ = place;
    log_ = std::move(moved);
  }

  bool asWritten(const KeyValueLog& log, int begin) const {
    std::vector<float> keys(keys_.size()), values(values_.size());
    log.read(begin, rows(), keys.data(), values.data());
    return keys == keys_ && values == values_;
  }

  // To the end of the panel.
  void zerosFollow(int row) const {
    const int until = (row + tileColumns - 1) / tileColumns * tileColumns, per = groupSize(shape_.kind);
    for (int head = 0; head < shape_.heads; head++) {
      const Panels panels = log_->values(head);
      for (int r = row; r < until; r++) {
        const char* group = panels.data + panelBytes(r / per);
        for (int c = 0; c < std::min(tileColumns, shape_.size); c++) {
          const char* value = group + c * 4 + r % per * (4 / per);
          CHECK(std::all_of(value, value + 4 / per, [](char byte) { return byte == 0; }));
        }
      }
    }
  }

  KeyValueShape shape_;
  std::mt19937& random_;
  std::shared_ptr<KeyValueLog> log_;
  int begin_ = 0, end_ = 0;
  std::vector<float> keys_, values_;  // of rows [begin, end)
};

}  // namespace

void keyValueLogs(std::mt19937& random) {
  std::vector<ProductKind> kinds{ProductKind::float32};
  if (hasTileKernel(ProductKind::bfloat16)) kinds.push_back(ProductKind::bfloat16);
  const auto upTo = [&](int most) { return static_cast<int>(random() % (most + 1)); };
  for (const ProductKind kind : kinds) {
    for (int round = 0; round < 40; round++) {
      Stream stream({kind, 1 + upTo(2), 2 * (1 + upTo(40))}, random);
      const int capacity = upTo(100);
      for (int i = 0; i < 20; i++) {
        const int claimed = upTo(12);
        stream.step(claimed, claimed == 0 ? 1 + upTo(5) : upTo(5));
        stream.drop(std::max(0, stream.rows() - capacity));
        CHECK(stream.asWritten());
      }
      CHECK(stream.survivesGivingUp());
    }
  }
}

#else

void keyValueLogs(std::mt19937&) {}

#endif

}  // namespace parakeet::test
