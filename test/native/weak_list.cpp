// Prints what is wrong.
#include "binding/weak_list.h"

#include <cstdio>
#include <new>

namespace {

int blocks = 0;  // of memory that are held for objects, alive or not

template <class T>
struct Counting {
  using value_type = T;
  Counting() = default;
  template <class U>
  explicit Counting(const Counting<U>&) {}
  T* allocate(size_t count) {
    blocks++;
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* memory, size_t) {
    blocks--;
    ::operator delete(memory);
  }
  bool operator==(const Counting&) const { return true; }
};

void check(bool holds, const char* what) {
  if (!holds) std::puts(what);
}

}  // namespace

int main() {
  const auto make = [](int value) { return std::allocate_shared<int>(Counting<int>(), value); };
  parakeet::WeakList<int> list;
  check(list.alive().empty(), "new: not empty");

  std::vector<std::shared_ptr<int>> kept;
  for (int i = 0; i < 1000; i++) {
    kept.push_back(make(i));
    list.add(kept.back());
    list.add(make(-1));
  }
  std::vector<std::shared_ptr<int>> alive = list.alive();
  check(alive == kept, "those that are alive, in their order");
  check(blocks <= 3000, "more is held than twice what is alive, and what came since");

  alive.clear();
  kept.clear();
  check(list.alive().empty(), "gone, but there");
  for (int i = 0; i < 10'000; i++) list.add(make(i));
  check(blocks <= 32, "what is gone is held");
}
