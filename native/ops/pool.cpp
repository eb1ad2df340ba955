#include "ops/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

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

// What is read soon, as willRead was told: of all threads together. The parts of different calls may be mixed up, and
// the memory gone: it is only fetched into caches, which fails silently.
std::atomic<uint64_t> readTurn{0};
std::atomic<const char*> readSoon{nullptr};
std::atomic<size_t> readSize{0};

// Of it a thread fetches so much: half of a small second-level cache.
constexpr size_t fetchedMost = size_t{256} << 10;

// A waiting thread's place in its part of what is read soon.
class Fetcher {
 public:
  Fetcher(int thread, int threads) : thread_(thread), threads_(threads) {}

  // A few cache lines; false when there is nothing left.
  bool some() {
    const uint64_t turn = readTurn.load(std::memory_order_acquire);
    if (turn != turn_) begin(turn);
    if (next_ == end_) return false;
    constexpr int line = 64;
    for (int lines = 4; lines > 0 && next_ < end_; lines--, next_ += line) __builtin_prefetch(next_, 0, 2);
    next_ = std::min(next_, end_);
    return true;
  }

 private:
  void begin(uint64_t turn) {
    turn_ = turn;
    const size_t size = readSize.load(std::memory_order_relaxed), first = size * thread_ / threads_;
    next_ = readSoon.load(std::memory_order_relaxed) + first;
    end_ = next_ + std::min(fetchedMost, size / threads_);
  }

  const int thread_, threads_;
  uint64_t turn_ = 0;
  const char *next_ = nullptr, *end_ = nullptr;
};

// Spins until `ready` is true, at most that long.
template <class Ready>
void await(Fetcher& fetcher, Ready ready) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 16; i++) {
      if (ready()) return;
      if (!fetcher.some()) pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
}

// A thread's share of a kernel, from which it takes a piece after the other: neighbours, whose memory it fetches ahead
// as if they were one. A thread that has finished its own share takes pieces of the others'. A piece is half of the
// rest: the last ones are small, so that the wait for the last thread is short.
struct alignas(64) Share {
  std::atomic<int> next{0};
  int end = 0;

  template <class Body>
  void takePieces(int grain, Body body) {
    int begin = next.load();
    while (begin < end && !givenUp()) {
      int size = std::max(grain, (end - begin + 1) / 2);
      if (end - begin - size < grain) size = end - begin;  // the rest would be less than a piece
      if (!next.compare_exchange_weak(begin, begin + size)) continue;
      body(begin, begin + size);
      begin = next.load();
    }
  }
};

using Body = std::function<void(int, int)>;

class Pool {
 public:
  explicit Pool(int threads) : shares_(threads) {
    for (int i = 1; i < threads; i++) std::thread([this, i] { work(i); }).detach();  // lives as long as the process
  }

  int threads() const { return static_cast<int>(shares_.size()); }

  // Runs the kernel on the caller and on at most `parts` - 1 other threads: those that join before the caller is done.
  // It does not wait for a thread that has not begun: a sleeping thread, or one whose core is busy, only does not help.
  // False when the pool is busy with another caller; then nothing was done.
  bool run(int count, int grain, int parts, const Body& body) {
    const std::unique_lock caller(callers_, std::try_to_lock);
    if (!caller) return false;
    {
      const std::lock_guard lock(mutex_);
      body_ = &body;
      grain_ = grain;
      parts_ = parts;
      for (int i = 0; i < parts; i++) {
        const auto edge = [&](int n) { return static_cast<int>(static_cast<int64_t>(count) * n / parts); };
        shares_[i].next.store(edge(i));
        shares_[i].end = edge(i + 1);
      }
      profiled_ = PartScope::current();
      places_ = parts - 1;
      error_ = nullptr;
      generation_++;
    }
    wake_.notify_all();
    takePieces(0, body);
    {
      const std::lock_guard lock(mutex_);
      body_ = nullptr;
    }
    const auto done = [this] { return helping_.load() == 0; };
    await(callersFetcher_, done);
    std::unique_lock lock(mutex_);
    done_.wait(lock, done);
    if (error_) std::rethrow_exception(error_);
    return true;
  }

 private:
  // The thread's own share first.
  void takePieces(int thread, const Body& body) {
    const PieceScope scope;
    try {
      for (int i = 0; i < parts_; i++) shares_[(thread + i) % parts_].takePieces(grain_, body);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  void work(int thread) {
    Fetcher fetcher(thread, threads());
    uint64_t seen = 0;
    for (;;) {
      const auto called = [&] { return generation_.load() != seen; };
      await(fetcher, called);
      std::unique_lock lock(mutex_);
      wake_.wait(lock, called);
      seen = generation_;
      if (!body_ || places_ == 0) continue;
      places_--;
      helping_++;
      const Body& body = *body_;
      lock.unlock();
      {
        const PartTimer timer(profiled_);
        takePieces(thread, body);
      }
      lock.lock();
      if (--helping_ == 0) done_.notify_one();
    }
  }

  std::mutex callers_;  // held by the current caller
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  // What follows changes only while no thread takes pieces.
  const Body* body_ = nullptr;  // null once it is too late to begin
  int grain_ = 1, parts_ = 1;
  std::vector<Share> shares_;  // of each thread; as many as `parts_` are in use
  Part profiled_ = Part::other;
  int places_ = 0;               // for helpers that have not joined yet
  std::atomic<int> helping_{0};  // threads
  std::atomic<uint64_t> generation_{0};
  std::exception_ptr error_;
  Fetcher callersFetcher_{0, threads()};
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

void willRead(const void* data, size_t size) {
  if (withinPiece) return;
  readSoon.store(static_cast<const char*>(data), std::memory_order_relaxed);
  readSize.store(size, std::memory_order_relaxed);
  readTurn.fetch_add(1, std::memory_order_release);
}

void parallelFor(int count, int grain, const Body& body) {
  grain = std::max(1, grain);
  const int parts = std::min(std::max(1, count / grain), pool().threads());
  if (givenUp()) return;
  if (parts == 1 || withinPiece) return body(0, count);
  if (pool().run(count, grain, parts, body)) return;
  // MLX's thread may still be running a cancelled request while the engine's thread goes on.
  const PieceScope scope;
  Share all{0, count};
  all.takePieces(grain, body);
}

}  // namespace parakeet::ops
