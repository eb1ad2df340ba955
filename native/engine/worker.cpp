#include "engine/worker.h"

#include <thread>

namespace parakeet {

void Worker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    start();
  }
  wake_.notify_one();
}

void Worker::postFirst(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_front(std::move(task));
    start();
  }
  wake_.notify_one();
}

void Worker::start() {
  if (started_) return;
  started_ = true;
  // Detached: a worker is never destroyed, so that no exit waits for it or pulls memory from under it.
  std::thread([this] { run(); }).detach();
}

size_t Worker::queued() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size() + (running_ ? 1 : 0);
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !tasks_.empty(); });
    {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      running_ = true;
      lock.unlock();
      task();
    }  // what the task held is freed before the lock is taken again
    lock.lock();
    running_ = false;
  }
}

}  // namespace parakeet
