#include "ops/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "ops/available_cores.h"
#include "ops/profile.h"

namespace parakeet::ops {
namespace {

std::atomic<int> requested{0};
std::atomic<const std::atomic<bool>*> giveUpFlag{nullptr};

// Whether this thread is working on a piece.
thread_local bool withinPiece = false;

struct PieceScope {
  PieceScope() { withinPiece = true; }
  ~PieceScope() { withinPiece = false; }
  PieceScope(const PieceScope&) = delete;
  PieceScope& operator=(const PieceScope&) = delete;
};

// How long a thread spins for the next kernel before it sleeps: kernels follow each other within microseconds, and
// waking a thread takes tens of them, more in a virtual machine. Other programs on the same cores suffer little, since
// nobody waits for a thread that is not running.
constexpr std::chrono::microseconds patience{100};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until `ready` is true, at most that long.
template <class Ready>
void await(Ready ready) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 16; i++) {
      if (ready()) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
}

// A thread takes this fraction of its even share of the remaining work: the last pieces are small, so that the wait for
// the last thread is short.
constexpr int shareOfRest = 2;

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {
    for (int i = 1; i < threads; i++) std::thread([this] { work(); }).detach();  // lives as long as the process
  }

  int threads() const { return threads_; }

  // Runs `job` on the caller and on at most `helpers` other threads: those that join before the caller is done. It does
  // not wait for a thread that has not begun: a sleeping thread, or one whose core is busy, only does not help. False
  // when the pool is busy with another caller; then nothing was done.
  bool run(int helpers, const std::function<void()>& job) {
    const std::unique_lock caller(callers_, std::try_to_lock);
    if (!caller) return false;
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      profiled_ = PartScope::current();
      places_ = helpers;
      error_ = nullptr;
      generation_++;
    }
    wake_.notify_all();
    guarded(job);
    {
      const std::lock_guard lock(mutex_);
      job_ = nullptr;
    }
    const auto done = [this] { return helping_.load() == 0; };
    await(done);
    std::unique_lock lock(mutex_);
    done_.wait(lock, done);
    if (error_) std::rethrow_exception(error_);
    return true;
  }

 private:
  void guarded(const std::function<void()>& job) {
    try {
      job();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  void work() {
    uint64_t seen = 0;
    for (;;) {
      const auto called = [&] { return generation_.load() != seen; };
      await(called);
      std::unique_lock lock(mutex_);
      wake_.wait(lock, called);
      seen = generation_;
      if (!job_ || places_ == 0) continue;
      places_--;
      helping_++;
      const std::function<void()>& job = *job_;
      lock.unlock();
      {
        const PartTimer timer(profiled_);
        guarded(job);
      }
      lock.lock();
      if (--helping_ == 0) done_.notify_one();
    }
  }

  const int threads_;
  std::mutex callers_;  // held by the current caller
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void()>* job_ = nullptr;  // null once it is too late to begin
  Part profiled_ = Part::other;
  int places_ = 0;               // for helpers that have not joined yet
  std::atomic<int> helping_{0};  // threads
  std::atomic<uint64_t> generation_{0};
  std::exception_ptr error_;
};

Pool& pool() {
  static Pool* instance = [] {
    const int wanted = requested.load();
    return new Pool(wanted > 0 ? wanted : availableCores());  // never destroyed: its threads outlive static destruction
  }();
  return *instance;
}

}  // namespace

void setPoolThreads(int threads) { requested.store(threads); }
int poolThreads() { return pool().threads(); }

void setGivenUp(const std::atomic<bool>* flag) { giveUpFlag.store(flag); }
bool givenUp() {
  const std::atomic<bool>* flag = giveUpFlag.load(std::memory_order_relaxed);
  return flag && flag->load(std::memory_order_relaxed);
}

void parallelFor(int count, int grain, const std::function<void(int, int)>& body) {
  const int threads = pool().threads();
  const int most = std::max(1, count / std::max(1, grain));
  const int parts = std::min(most, threads);
  if (givenUp()) return;
  if (parts == 1 || withinPiece) return body(0, count);
  std::atomic<int> next{0};
  const auto work = [&] {
    const PieceScope scope;
    int begin = next.load();
    while (begin < count && !givenUp()) {
      int size = std::max({1, grain, (count - begin) / (shareOfRest * parts)});
      if (count - begin - size < grain) size = count - begin;  // the rest would be less than a piece
      if (!next.compare_exchange_weak(begin, begin + size)) continue;
      body(begin, begin + size);
      begin = next.load();
    }
  };
  // MLX's thread may still be running a cancelled request while the engine's thread goes on.
  if (!pool().run(parts - 1, work)) work();
}

}  // namespace parakeet::ops
