// A thread that runs tasks in order, from the first one for as long as the process lives. Not a pool.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace parakeet {

class Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Tasks must not throw.
  void post(std::function<void()> task);
  // Runs before the tasks that already wait.
  void postFirst(std::function<void()> task);
  // Tasks that wait or run.
  size_t queued() const;

 private:
  // With the lock held.
  void start();
  void run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool started_ = false;
  bool running_ = false;
};

}  // namespace parakeet
