// Kernels from three threads at once over one pool: each piece exactly once, exceptions thrown again, pieces within
// pieces. Prints what was wrong; see pool.test.ts.
#include "ops/pool.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using parakeet::ops::parallelFor;

namespace {

std::atomic<int> wrong{0};

void expect(bool holds, const char* what) {
  if (holds) return;
  wrong++;
  std::puts(what);
}

void eachPieceOnce(int count, int grain) {
  std::vector<int> visits(count);
  std::vector<std::atomic<int>> within(count);
  std::atomic<bool> tooShort{false};
  parallelFor(count, grain, [&](int begin, int end) {
    if (end - begin < grain && count >= grain) tooShort = true;
    for (int i = begin; i < end; i++) {
      visits[i]++;
      const auto caller = std::this_thread::get_id();
      parallelFor(3, 1, [&](int first, int last) {
        const bool onlyPiece = end - begin == count;
        if (onlyPiece || std::this_thread::get_id() == caller) within[i] += last - first;
      });
    }
  });
  expect(!tooShort, "a piece is shorter than its grain");
  for (const int n : visits) expect(n == 1, "an index was not visited once");
  for (const auto& n : within) expect(n == 3, "a piece within a piece was left out, or went to another thread");
}

void throwsAgain(int count, int at) {
  try {
    parallelFor(count, 1, [&](int begin, int end) {
      if (begin <= at && at < end) throw std::runtime_error(std::to_string(at));
    });
    expect(false, "an exception was lost");
  } catch (const std::runtime_error& error) {
    expect(std::stoi(error.what()) == at, "another's exception was thrown");
  }
}

void call(int seed, int rounds) {
  for (int round = 0; round < rounds; round++) {
    const int count = 1 + (round * 7 + seed) % 50;
    eachPieceOnce(count, 1 + round % 3);
    if (round % 10 == 0) throwsAgain(count, (round + seed) % count);
    // The pool's threads fall asleep.
    if (round % 200 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

int main() {
  parakeet::ops::setPoolThreads(4);
  std::vector<std::thread> callers;
  for (int seed = 0; seed < 3; seed++) callers.emplace_back(call, 17 * seed, 3000);
  for (std::thread& caller : callers) caller.join();
  const std::atomic<bool> givenUp{true};
  parakeet::ops::setGivenUp(&givenUp);
  parallelFor(10, 1, [](int, int) { expect(false, "a piece was begun after giving up"); });
  std::fflush(stdout);
  std::_Exit(wrong == 0 ? 0 : 1);  // the pool's threads live as long as the process
}
