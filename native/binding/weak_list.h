// References that own nothing, without those whose objects are gone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace parakeet {

template <class T>
class WeakList {
 public:
  void add(std::weak_ptr<T> one) {
    // At twice as many as were left the last time: so each is looked at a constant number of times, however many there
    // are.
    if (all_.size() >= limit_) {
      std::erase_if(all_, [](const auto& other) { return other.expired(); });
      limit_ = std::max(smallest, 2 * all_.size());
    }
    all_.push_back(std::move(one));
  }

  // Those that are alive, in the order in which they were added.
  std::vector<std::shared_ptr<T>> alive() const {
    std::vector<std::shared_ptr<T>> alive;
    for (const auto& one : all_) {
      if (auto shared = one.lock()) alive.push_back(std::move(shared));
    }
    return alive;
  }

 private:
  static constexpr size_t smallest = 16;
  std::vector<std::weak_ptr<T>> all_;
  size_t limit_ = smallest;
};

}  // namespace parakeet
