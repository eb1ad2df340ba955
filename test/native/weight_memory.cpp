// Weights of several models in the same large pages: each piece zero, whole, and given back by itself. Prints what was
// wrong; see weight_memory.test.ts.
#include "ops/cpu/weight_memory.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#ifdef __linux__
#include <unistd.h>
#endif

using parakeet::ops::WeightMemory;
using parakeet::ops::weightMemory;

namespace {

int wrong = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  wrong++;
  std::puts(what);
}

struct Piece {
  WeightMemory memory;
  size_t bytes;
  unsigned char mark;

  Piece(size_t size, unsigned char own) : memory(weightMemory(size)), bytes(size), mark(own) {
    expect(reinterpret_cast<uintptr_t>(memory.get()) % 64 == 0, "a piece does not begin with a cache line");
    expect(all(0), "a new piece is not zero");
    std::memset(memory.get(), mark, bytes);
  }
  bool all(unsigned char value) const {
    const auto* at = static_cast<const unsigned char*>(memory.get());
    return *at == value && std::memcmp(at, at + 1, bytes - 1) == 0;
  }
};

std::vector<Piece> model(unsigned char mark) {
  std::vector<Piece> pieces;
  for (const size_t bytes : {size_t{1}, size_t{64}, size_t{3000}, size_t{1} << 20, (size_t{5} << 20) + 17}) {
    for (int i = 0; i < 8; i++) pieces.emplace_back(bytes, mark);
  }
  pieces.emplace_back(size_t{80} << 20, mark);  // more than a block
  return pieces;
}

bool whole(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    if (!piece.all(piece.mark)) return false;
  }
  return true;
}

size_t residentBytes() {
#ifdef __linux__
  size_t size = 0, pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%zu %zu", &size, &pages) != 2) pages = 0;
  std::fclose(file);
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
#else
  return 0;
#endif
}

// Several models at once, of which one stays.
void comeAndGo() {
  const std::vector<Piece> stays = model(1);
  for (int round = 0; round < 3; round++) {
    std::vector<Piece> first = model(2), second;
    std::thread other([&] { second = model(3); });
    std::vector<Piece> third = model(4);
    other.join();
    std::thread([gone = std::move(first)]() mutable { gone.clear(); }).join();
    expect(whole(stays) && whole(second) && whole(third), "a piece changed when others came or went");
  }
}

// Neighbours within the same pages go, and what stays does not hold their memory.
void neighboursGo() {
  constexpr size_t bytes = (size_t{2} << 20) + 128, count = 60;
  std::vector<Piece> stays, gone;
  for (size_t i = 0; i < count; i++) (i % 3 == 0 ? stays : gone).emplace_back(bytes, static_cast<unsigned char>(i + 1));
  const size_t before = residentBytes();
  gone.clear();
  expect(whole(stays), "a piece changed when its neighbours went");
  const size_t after = residentBytes();
  expect(before == 0 || after + count / 2 * bytes < before, "memory of pieces that are gone is still taken");
}

// No two threads are given the same memory.
void manyAtOnce() {
  constexpr size_t threads = 4, count = 20000, bytes = 64;
  std::vector<std::vector<WeightMemory>> pieces(threads);
  std::vector<std::thread> running;
  for (auto& own : pieces) {
    running.emplace_back([&own] {
      for (size_t i = 0; i < count; i++) own.push_back(weightMemory(bytes));
    });
  }
  for (std::thread& thread : running) thread.join();
  std::set<void*> places;
  for (const auto& own : pieces) {
    for (const WeightMemory& piece : own) places.insert(piece.get());
  }
  expect(places.size() == threads * count, "two pieces lie at the same place");
}

}  // namespace

int main() {
  comeAndGo();
  neighboursGo();
  manyAtOnce();
  return wrong > 0 ? 1 : 0;
}
