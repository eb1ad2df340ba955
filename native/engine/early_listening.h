// The front end of whole recordings on a thread of its own, for a GPU: recordings that come while it is busy have been
// listened to by the time that it takes them. On a CPU there is nothing to gain, since both use the same cores; and
// there, unlike on a GPU, the engine's requests give up what the pool works on (ops::GiveUpScope), whoever asked for
// it.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "engine/recordings.h"
#include "engine/worker.h"

namespace parakeet {

class EarlyListening {
 public:
  // `next` takes a recording that has been listened to, on the thread of `worker`.
  EarlyListening(Worker& worker, std::function<void(RecordingRequest)> next)
      : worker_(worker), next_(std::move(next)) {}
  EarlyListening(const EarlyListening&) = delete;
  EarlyListening& operator=(const EarlyListening&) = delete;

  // On any thread. They keep their order.
  void add(RecordingRequest request);

 private:
  // Those that wait, at most one for each core.
  void listen();

  Worker& worker_;
  std::function<void(RecordingRequest)> next_;
  std::mutex mutex_;
  std::deque<RecordingRequest> waiting_;
};

}  // namespace parakeet
