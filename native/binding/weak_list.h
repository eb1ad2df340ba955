// References that own nothing, without those whose objects are gone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace parakeet {

// Of a container that grows, drops what is over now and then: at twice as many as were left the last time, so that each
// is looked at a constant number of times, however many there are.
class Pruning {
 public:
  template <class Container, class IsOver>
  void operator()(Container& all, IsOver isOver) {
    if (all.size() < limit_) return;
    std::erase_if(all, isOver);
    limit_ = std::max(smallest, 2 * all.size());
  }

 private:
  static constexpr size_t smallest = 16;
  size_t limit_ = smallest;
};

template <class T>
class WeakList {
 public:
  void add(std::weak_ptr<T> one) {
    prune_(all_, [](const auto& other) { return other.expired(); });
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
  std::vector<std::weak_ptr<T>> all_;
  Pruning prune_;
};

}  // namespace parakeet
