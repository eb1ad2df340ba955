// The caches of many streams in one array for each layer, so that a batch reads and writes those of all its streams
// with one kernel each. Used on the engine's thread only.
#pragma once

#include <mlx/mlx.h>

#include <memory>
#include <mutex>
#include <vector>

namespace parakeet {

struct CacheShape {
  int layers, heads, width;  // `width`: dModel
  int frames;                // of keys and values; may be 0
  int before;                // frames that the convolution looks back
  mlx::core::Dtype type;
};

class CachePool {
 public:
  explicit CachePool(const CacheShape& shape) : shape_(shape) {}

  // A slot that nobody has; its content is undefined. Throws when there is no memory for more: nothing has changed
  // then.
  int take();
  // On any thread: a stream may drop its cache while its step is planned.
  void give(int slot) {
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
  }

  // `slots`: [B], int32. → [B, 2, heads, frames, width / heads], and [B, before, width].
  mlx::core::array keysValues(int layer, const mlx::core::array& slots) const;
  // Of all slots.
  const mlx::core::array& keysValues(int layer) const { return keysValues_[layer]; }
  mlx::core::array convolution(int layer, const mlx::core::array& slots) const;

  // The same shapes, of all layers. Writes in place and takes no memory worth mentioning.
  struct Update {
    mlx::core::array slots;
    std::vector<mlx::core::array> keysValues, convolutions;  // `keysValues`: empty where `frames` is 0
  };
  void store(const Update& update);

  const CacheShape& shape() const { return shape_; }

 private:
  void grow();

  CacheShape shape_;
  int slots_ = 0;
  std::mutex mutex_;  // of `free_`
  std::vector<int> free_;
  std::vector<mlx::core::array> keysValues_, convolutions_;  // [slots, …] of each layer
};

// A slot that goes back to its pool.
class CacheSlot {
 public:
  explicit CacheSlot(std::shared_ptr<CachePool> pool) : pool_(std::move(pool)), index_(pool_->take()) {}
  ~CacheSlot() { pool_->give(index_); }
  CacheSlot(const CacheSlot&) = delete;
  CacheSlot& operator=(const CacheSlot&) = delete;

  CachePool& pool() const { return *pool_; }
  int index() const { return index_; }

 private:
  std::shared_ptr<CachePool> pool_;
  int index_;
};

}  // namespace parakeet
