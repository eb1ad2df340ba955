#include "ops/cpu/pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace parakeet::ops {
namespace {

std::atomic<int> requested{0};

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; i++) {
      std::thread([this, i] { work(i); }).detach();  // the pool lives as long as the process
    }
    threads_ = threads;
  }

  int threads() const { return threads_; }

  void run(int parts, const std::function<void(int)>& part) {
    std::unique_lock lock(mutex_);
    part_ = &part;
    parts_ = parts;
    pending_ = parts - 1;
    error_ = nullptr;
    generation_++;
    lock.unlock();
    wake_.notify_all();
    guarded(0);
    lock.lock();
    done_.wait(lock, [this] { return pending_ == 0; });
    part_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void guarded(int index) {
    try {
      (*part_)(index);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  void work(int index) {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return generation_ != seen && part_ != nullptr && index < parts_; });
        seen = generation_;
      }
      guarded(index);
      const std::lock_guard lock(mutex_);
      if (--pending_ == 0) done_.notify_one();
    }
  }

  int threads_ = 1;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(int)>* part_ = nullptr;
  int parts_ = 0;
  int pending_ = 0;
  uint64_t generation_ = 0;
  std::exception_ptr error_;
};

Pool& pool() {
  static Pool* instance = [] {
    const int wanted = requested.load();
    const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return new Pool(wanted > 0 ? wanted : cores);  // never destroyed: its threads outlive static destruction
  }();
  return *instance;
}

}  // namespace

void setPoolThreads(int threads) { requested.store(threads); }
int poolThreads() { return pool().threads(); }

void parallelFor(int count, int grain, const std::function<void(int, int)>& body) {
  const int parts = std::clamp(count / std::max(1, grain), 1, pool().threads());
  if (parts == 1) return body(0, count);
  pool().run(parts, [&](int index) {
    const int begin = static_cast<int>(static_cast<int64_t>(count) * index / parts);
    const int end = static_cast<int>(static_cast<int64_t>(count) * (index + 1) / parts);
    body(begin, end);
  });
}

}  // namespace parakeet::ops
