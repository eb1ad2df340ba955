#include "ops/cpu/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sys/resource.h>
#endif

#include "ops/profile.h"

namespace parakeet::ops {
namespace {

std::atomic<int> requested{0};
std::atomic<const std::atomic<bool>*> giveUpFlag{nullptr};

// Whether this thread is at work on a piece.
thread_local bool withinPiece = false;

struct PieceScope {
  PieceScope() { withinPiece = true; }
  ~PieceScope() { withinPiece = false; }
  PieceScope(const PieceScope&) = delete;
  PieceScope& operator=(const PieceScope&) = delete;
};

// How long a thread looks for what comes next before it sleeps: one kernel follows another within microseconds, and to
// be woken takes tens. Not where others want the core: there, looking takes the thread's own turn from it.
constexpr std::chrono::microseconds patience{20};

// Whether others want the cores: the pool's threads were put aside `most` times within a while.
class Contention {
 public:
  bool seen() {
#ifdef RUSAGE_THREAD
    thread_local long before = putAside();
    const long now = putAside();
    if (now > before) note(static_cast<int>(now - before));
    before = now;
#endif
    return Clock::now().time_since_epoch().count() < until_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int most = 3;
  static constexpr std::chrono::milliseconds window{10}, consequence{50};

#ifdef RUSAGE_THREAD
  // How often the calling thread lost its core before it was done.
  static long putAside() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
  }
#endif

  void note(int times) {
    const auto now = Clock::now().time_since_epoch();
    const std::lock_guard lock(mutex_);
    if (now - begin_ > window) {
      begin_ = now;
      count_ = 0;
    }
    count_ += times;
    if (count_ >= most) until_ = Clock::duration(now + consequence).count();
  }

  std::mutex mutex_;
  Clock::duration begin_{};
  int count_ = 0;
  std::atomic<Clock::rep> until_{0};
};

Contention& contention() {
  static Contention* instance = new Contention();  // the pool's threads outlive static destruction
  return *instance;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether `ready` became true in that time.
template <class Ready>
bool awaited(Ready ready) {
  if (ready()) return true;
  if (contention().seen()) return false;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 16; i++) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return ready();
}

// A thread takes this part of its even share of what is left: the last pieces are small, so that nobody waits long for
// the one who ends last.
constexpr int shareOfRest = 2;

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; i++) {
      std::thread([this, i] { work(i); }).detach();  // the pool lives as long as the process
    }
    threads_ = threads;
  }

  int threads() const { return threads_; }

  // False when the pool works for another thread: then nothing was done.
  bool run(int parts, const std::function<void(int)>& part) {
    const std::unique_lock caller(callers_, std::try_to_lock);
    if (!caller) return false;
    std::unique_lock lock(mutex_);
    part_ = &part;
    profiled_ = PartScope::current();
    parts_ = parts;
    pending_ = parts - 1;
    error_ = nullptr;
    generation_++;
    lock.unlock();
    wake_.notify_all();
    guarded(0);
    const auto done = [this] { return pending_.load() == 0; };
    awaited(done);
    lock.lock();
    done_.wait(lock, done);
    part_ = nullptr;
    if (error_) std::rethrow_exception(error_);
    return true;
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
      awaited([&] { return generation_.load() != seen; });
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return generation_ != seen && part_ != nullptr && index < parts_; });
        seen = generation_;
      }
      {
        const PartTimer timer(profiled_);
        guarded(index);
      }
      const std::lock_guard lock(mutex_);
      if (--pending_ == 0) done_.notify_one();
    }
  }

  int threads_ = 1;
  std::mutex callers_;  // held by the one that the pool works for
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(int)>* part_ = nullptr;
  Part profiled_ = Part::other;
  int parts_ = 0;
  std::atomic<int> pending_{0};
  std::atomic<uint64_t> generation_{0};
  std::exception_ptr error_;
};

// Cores by the quota of the process's control group (version 2, then 1), rounded up; 0 for no quota.
int quotaCores() {
  double quota = -1, period = -1;
  if (std::ifstream file{"/sys/fs/cgroup/cpu.max"}; file) {
    file >> quota >> period;  // "max 100000" leaves both unread
  } else {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? static_cast<int>(std::ceil(quota / period)) : 0;
}

int availableCores() {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int quota = quotaCores();
  return quota > 0 ? std::min(cores, quota) : cores;
}

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
  const auto work = [&](int) {
    const PieceScope scope;
    int begin = next.load();
    while (begin < count && !givenUp()) {
      int size = std::max({1, grain, (count - begin) / (shareOfRest * parts)});
      if (count - begin - size < grain) size = count - begin;  // what is left would be no piece
      if (!next.compare_exchange_weak(begin, begin + size)) continue;
      body(begin, begin + size);
      begin = next.load();
    }
  };
  // MLX's thread may still be at work for somebody who gave up while the engine's thread goes on.
  if (!pool().run(parts, work)) work(0);
}

}  // namespace parakeet::ops
