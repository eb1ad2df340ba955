#include "model/cache_pool.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace parakeet {
namespace mx = mlx::core;
namespace {

constexpr int fewestSlots = 8;

mx::Shape slotsOf(int count, const mx::array& like) {
  mx::Shape shape = like.shape();
  shape[0] = count;
  return shape;
}

// `all`, made larger. Evaluated, so that only one layer is in memory twice.
mx::array grown(const mx::array& all, int count) {
  if (all.shape(0) >= count) return all;
  mx::array larger = mx::zeros(slotsOf(count, all), all.dtype());
  if (all.shape(0) > 0) larger = mx::slice_update(larger, all, mx::Shape(all.ndim(), 0), all.shape());
  mx::eval(larger);
  return larger;
}

// Writes rows of `all` in place: it is the array's only owner when that is evaluated.
void scatter(mx::array& all, const mx::array& slots, const mx::array& rows) {
  all = mx::scatter(std::exchange(all, mx::array(0)), slots, mx::expand_dims(rows, 1), 0);
}

}  // namespace

int CachePool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) grow();
  const int slot = free_.back();
  free_.pop_back();
  return slot;
}

void CachePool::grow() {
  const int size = shape_.width / shape_.heads;
  if (convolutions_.empty()) {
    for (int i = 0; i < shape_.layers; i++) {
      keysValues_.push_back(mx::zeros({0, 2, shape_.heads, shape_.frames, size}, shape_.type));
      convolutions_.push_back(mx::zeros({0, shape_.before, shape_.width}, shape_.type));
    }
  }
  const int count = std::max(fewestSlots, slots_ + slots_ / 2);
  for (int i = 0; i < shape_.layers; i++) {
    if (shape_.frames > 0) keysValues_[i] = grown(keysValues_[i], count);
    convolutions_[i] = grown(convolutions_[i], count);
  }
  free_.resize(static_cast<size_t>(count - slots_));
  std::iota(free_.rbegin(), free_.rend(), slots_);
  slots_ = count;
}

mx::array CachePool::keysValues(int layer, const mx::array& slots) const {
  return mx::take(keysValues_[layer], slots, 0);
}

mx::array CachePool::convolution(int layer, const mx::array& slots) const {
  return mx::take(convolutions_[layer], slots, 0);
}

void CachePool::store(const Update& update) {
  std::vector<mx::array> written;
  for (int i = 0; i < shape_.layers; i++) {
    if (shape_.frames > 0) {
      scatter(keysValues_[i], update.slots, update.keysValues[i]);
      written.push_back(keysValues_[i]);
    }
    scatter(convolutions_[i], update.slots, update.convolutions[i]);
    written.push_back(convolutions_[i]);
  }
  mx::async_eval(std::move(written));
}

}  // namespace parakeet
