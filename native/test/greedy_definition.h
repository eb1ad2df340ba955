// What the tests of the greedy kernel share: the definition that it is compared with, and its launches on the CPU.
#pragma once

#include <functional>
#include <random>
#include <vector>

namespace parakeet::test::greedy {

using Values = std::vector<float>;

struct Sizes {
  int layers, hidden, joint, classes, maxSymbols;
  int width() const { return 2 * layers * hidden + joint; }  // of a state
};

struct Tokens {
  std::vector<int> ids, frames, places;
  Values spreads;  // four values of each, as the kernel gives them
  // Only of the definition:
  Values tolerances;  // of each one's spreads
  bool tie = false;   // a choice was closer than rounding may be
};

struct Stream {
  int offset, end, pointer, symbols;
  Values state;  // hidden, cell, projection
};

// Weights are values that bfloat16 holds exactly.
struct Network {
  Values embedding, inputs, hiddens, gateBias, predictor, predictorBias, out, outBias;
  std::vector<int> durations;
};
Values randomValues(std::mt19937& random, int count, float scale);
Network randomNetwork(std::mt19937& random, const Sizes& sizes, int kinds);
std::vector<unsigned short> bitsOf(const Values& values);

// One stream, one frame at a time. `rounding`: how far off a product's values may be in what is compared with it, as a
// part of them.
Tokens define(const Sizes& sizes, const Network& network, const Values& frames, Stream& stream, float rounding);

// The arguments of a launch that it does not share with the others.
struct Launch {
  std::vector<int> numbers;
  Values states, results, work;
  std::vector<unsigned> counters;
};
// Launches with teams of `size` streams until all of them are over. `run`: a launch.
std::vector<Tokens> launchAll(const Sizes& sizes, std::vector<Stream>& streams, int size, int blocks, int room,
                              const std::function<void(Launch&)>& run);

// Compares what `run` makes of some streams with the definition. How many tokens there were.
size_t compare(std::mt19937& random, const Sizes& sizes, const Network& network, int size, int blocks, int room,
               const std::vector<std::vector<int>>& places, float rounding,
               const std::function<void(Launch&, const Values& frames)>& run);

}  // namespace parakeet::test::greedy
