#include "lm/window_counts.h"

#include <algorithm>

namespace parakeet::lm {
namespace {

constexpr size_t sortedAtOnce = size_t{1} << 22;

}  // namespace

void WindowCounts::add(const int32_t* tokens, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (tokens[i] < 0) {
      windows(true);
      continue;
    }
    text_.push_back(tokens[i]);
    tokens_++;
  }
  windows(false);
}

void WindowCounts::windows(bool ended) {
  size_t begin = 0;
  const auto order = static_cast<size_t>(order_);
  for (; begin < text_.size() && (ended || begin + order <= text_.size()); begin++) {
    const size_t length = std::min(order, text_.size() - begin);
    unsorted_.push_back(Window::of(text_.data() + begin, static_cast<int>(length)));
  }
  text_.erase(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(begin));
  if (unsorted_.size() >= sortedAtOnce) sortIn();
}

void WindowCounts::sortIn() {
  std::sort(unsorted_.begin(), unsorted_.end());
  Run run;
  for (const Window& window : unsorted_) {
    if (!run.empty() && run.back().window == window)
      run.back().count++;
    else
      run.push_back({window, 1});
  }
  unsorted_.clear();
  while (!runs_.empty() && runs_.back().size() < 2 * run.size()) {
    run = merge(runs_.back(), run);
    runs_.pop_back();
  }
  runs_.push_back(std::move(run));
}

WindowCounts::Run WindowCounts::merge(const Run& one, const Run& other) {
  Run both;
  both.reserve(one.size() + other.size());
  auto a = one.begin(), b = other.begin();
  while (a != one.end() || b != other.end()) {
    if (b == other.end() || (a != one.end() && a->window < b->window)) {
      both.push_back(*a++);
    } else if (a == one.end() || b->window < a->window) {
      both.push_back(*b++);
    } else {
      both.push_back({a->window, a->count + b->count});
      a++;
      b++;
    }
  }
  both.shrink_to_fit();
  return both;
}

std::vector<WindowCount> WindowCounts::take() {
  windows(true);
  sortIn();
  while (runs_.size() > 1) {
    Run last = std::move(runs_.back());
    runs_.pop_back();
    runs_.back() = merge(runs_.back(), last);
  }
  Run all = std::move(runs_[0]);
  runs_.clear();
  return all;
}

}  // namespace parakeet::lm
