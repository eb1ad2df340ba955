#include "engine/early_listening.h"

#include <utility>
#include <vector>

#include "ops/pool.h"

namespace parakeet {

void EarlyListening::add(RecordingRequest request) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(request));
    if (waiting_.size() > 1) return;  // listen() will find it
  }
  worker_.post([this] { listen(); });
}

void EarlyListening::listen() {
  const auto most = static_cast<size_t>(ops::poolThreads());
  std::vector<RecordingRequest> some;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && some.size() < most) {
      some.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (!waiting_.empty()) worker_.post([this] { listen(); });
  }
  listenTo(some);
  for (RecordingRequest& one : some) next_(std::move(one));
}

}  // namespace parakeet
