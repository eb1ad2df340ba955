#include "test/greedy_definition.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "test/check.h"

namespace parakeet::test::greedy {
namespace {

constexpr int tokenSize = 7, spreadSize = 4, tallySize = 8, counterStride = 32;  // as in greedy.cuh

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

double dot(const float* a, const float* b, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

float sizeOfProducts(const float* a, const float* b, int count) {
  float sum = 0;
  for (int i = 0; i < count; i++) sum += std::fabs(a[i] * b[i]);
  return sum;
}

constexpr float precision = 1e-4f;  // of float32

bool near(float a, float b, float tolerance) { return std::fabs(a - b) < tolerance * (1 + std::fabs(b)); }

bool near(const Values& a, const Values& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) { return near(x, y, precision); });
}

bool nearSpreads(const Values& spreads, const Tokens& defined) {
  if (spreads.size() != defined.spreads.size()) return false;
  for (size_t i = 0; i < spreads.size(); i++) {
    if (!near(spreads[i], defined.spreads[i], defined.tolerances[i / spreadSize])) return false;
  }
  return true;
}

// Of the best of `logits` from `from` on, the lead over the next one.
float leadOf(const Values& logits, int from, int until, int best) {
  float second = -INFINITY;
  for (int n = from; n < until; n++) {
    if (n != best) second = std::max(second, logits[n]);
  }
  return logits[best] - second;
}

}  // namespace

Values randomValues(std::mt19937& random, int count, float scale) {
  std::normal_distribution<float> normal;
  Values all(static_cast<size_t>(count));
  for (float& one : all) one = std::bit_cast<float>(std::bit_cast<uint32_t>(scale * normal(random)) & 0xffff0000u);
  return all;
}

Network randomNetwork(std::mt19937& random, const Sizes& sizes, int kinds) {
  const auto [layers, hidden, joint, classes, maxSymbols] = sizes;
  const int outputs = classes + kinds, gates = layers * 4 * hidden;
  const auto values = [&](int count, float scale) { return randomValues(random, count, scale); };
  Network network{values(classes * hidden, 1), values(gates * hidden, 0.5f), values(gates * hidden, 0.5f),
                  values(gates, 0.3f),         values(joint * hidden, 1),    values(joint, 0.3f),
                  values(outputs * joint, 1),  values(outputs, 0.3f),        {}};
  for (int i = 0; i < kinds; i++) network.durations.push_back(i);
  return network;
}

std::vector<unsigned short> bitsOf(const Values& values) {
  std::vector<unsigned short> bits;
  for (const float value : values) bits.push_back(static_cast<unsigned short>(std::bit_cast<uint32_t>(value) >> 16));
  return bits;
}

Tokens define(const Sizes& sizes, const Network& network, const Values& frames, Stream& stream, float rounding) {
  const auto [layers, hidden, joint, classes, maxSymbols] = sizes;
  const int kinds = static_cast<int>(network.durations.size()), outputs = classes + kinds;
  Tokens tokens;
  while (stream.pointer < stream.end) {
    Values mixed(joint), logits(outputs);
    for (int k = 0; k < joint; k++) {
      const float frame = frames[(stream.offset + stream.pointer) * joint + k];
      mixed[k] = std::max(0.0f, frame + stream.state[2 * layers * hidden + k]);
    }
    float reach = 0;
    for (int n = 0; n < outputs; n++) {
      logits[n] = static_cast<float>(dot(&network.out[n * joint], mixed.data(), joint) + network.outBias[n]);
      reach = std::max(reach, sizeOfProducts(&network.out[n * joint], mixed.data(), joint));
    }
    const int token = static_cast<int>(std::max_element(logits.begin(), logits.begin() + classes) - logits.begin());
    const int place =
        kinds == 0
            ? 0
            : static_cast<int>(std::max_element(logits.begin() + classes, logits.end()) - logits.begin()) - classes;
    const float lead = leadOf(logits, 0, classes, token);
    const float leadOfPlace = kinds == 0 ? INFINITY : leadOf(logits, classes, outputs, classes + place);
    // A logit is off by what the values are, as a part of the sum of its products' sizes; twice that is the difference
    // of two.
    const float tolerance = precision + 2 * rounding * reach;
    tokens.tie = tokens.tie || std::min(lead, leadOfPlace) < tolerance;
    const bool blank = token == classes - 1;
    int step = kinds == 0 ? (blank ? 1 : 0) : network.durations[place];
    if (!blank) {
      double sum = 0, weighted = 0, thirds = 0, second = -1e30;
      for (int n = 0; n < classes; n++) {
        const double y = logits[n] - logits[token];
        sum += std::exp(y);
        weighted += y * std::exp(y);
        thirds += std::cbrt(std::exp(y));
        if (n != token) second = std::max(second, y);
      }
      tokens.ids.push_back(token);
      tokens.frames.push_back(stream.pointer);
      tokens.places.push_back(place);
      tokens.tolerances.push_back(tolerance);
      for (const double value : {sum, weighted / sum, thirds, second})
        tokens.spreads.push_back(static_cast<float>(value));
      stream.symbols++;
    }
    if ((blank || stream.symbols >= maxSymbols) && step < 1) step = 1;
    if (step > 0) stream.symbols = 0;
    stream.pointer += step;
    if (blank) continue;
    Values x(network.embedding.begin() + token * hidden, network.embedding.begin() + (token + 1) * hidden);
    for (int layer = 0; layer < layers; layer++) {
      float* own = &stream.state[layer * hidden];
      float* cell = &stream.state[(layers + layer) * hidden];
      const Values old(own, own + hidden);
      for (int unit = 0; unit < hidden; unit++) {
        float gates[4];
        for (int gate = 0; gate < 4; gate++) {
          const int row = layer * 4 * hidden + gate * hidden + unit;
          gates[gate] =
              static_cast<float>(dot(&network.inputs[row * hidden], x.data(), hidden) +
                                 dot(&network.hiddens[row * hidden], old.data(), hidden) + network.gateBias[row]);
        }
        cell[unit] = sigmoid(gates[1]) * cell[unit] + sigmoid(gates[0]) * std::tanh(gates[2]);
        own[unit] = sigmoid(gates[3]) * std::tanh(cell[unit]);
      }
      x.assign(own, own + hidden);
    }
    for (int k = 0; k < joint; k++)
      stream.state[2 * layers * hidden + k] =
          static_cast<float>(dot(&network.predictor[k * hidden], x.data(), hidden) + network.predictorBias[k]);
  }
  return tokens;
}

std::vector<Tokens> launchAll(const Sizes& sizes, std::vector<Stream>& streams, int size, int blocks, int room,
                              const std::function<void(Launch&)>& run) {
  const int width = sizes.width(), teams = (static_cast<int>(streams.size()) + size - 1) / size;
  const int resultSize = size * room * tokenSize + size * width + 3 * size + 1;
  const int ofTeam = 2 * (blocks / teams) * tallySize + 3 * sizes.layers * sizes.hidden + 2 * sizes.joint;
  std::vector<Tokens> tokens(streams.size());
  const auto over = [](const Stream& stream) { return stream.pointer >= stream.end; };
  // A launch makes progress, so that there are not more of them than frames.
  for (int launches = 0; launches < 200 && !std::all_of(streams.begin(), streams.end(), over); launches++) {
    Launch launch{std::vector<int>(2 + 4 * size * teams), Values(teams * size * width), Values(teams * resultSize),
                  Values(teams * size * ofTeam), std::vector<unsigned>(teams * counterStride)};
    launch.numbers[0] = teams;
    launch.numbers[1] = room;
    for (size_t s = 0; s < streams.size(); s++) {
      const Stream& own = streams[s];
      const int values[] = {own.offset, own.end, own.pointer, own.symbols};
      for (int i = 0; i < 4; i++) launch.numbers[2 + (s / size * 4 + i) * size + s % size] = values[i];
      std::copy(own.state.begin(), own.state.end(), launch.states.begin() + static_cast<ptrdiff_t>(s) * width);
    }
    run(launch);
    for (size_t s = 0; s < streams.size(); s++) {
      const size_t own = s % size;
      const float* result = launch.results.data() + static_cast<ptrdiff_t>(s / size) * resultSize;
      const float* state = result + size * room * tokenSize;
      const float* places = state + size * width;
      const float* token = result + static_cast<ptrdiff_t>(own) * room * tokenSize;
      CHECK(places[3 * size] == 0.0f);
      for (int i = 0; i < static_cast<int>(places[3 * own + 2]); i++, token += tokenSize) {
        tokens[s].ids.push_back(static_cast<int>(token[0]));
        tokens[s].frames.push_back(static_cast<int>(token[1]));
        tokens[s].places.push_back(static_cast<int>(token[2]));
        tokens[s].spreads.insert(tokens[s].spreads.end(), token + 3, token + tokenSize);
      }
      streams[s].pointer = static_cast<int>(places[3 * own]);
      streams[s].symbols = static_cast<int>(places[3 * own + 1]);
      streams[s].state.assign(state + own * width, state + (own + 1) * width);
    }
  }
  return tokens;
}

size_t compare(std::mt19937& random, const Sizes& sizes, const Network& network, int size, int blocks, int room,
               const std::vector<std::vector<int>>& places, float rounding,
               const std::function<void(Launch&, const Values& frames)>& run) {
  int rows = 0;
  for (const auto& place : places) rows = std::max(rows, place[0] + place[1]);
  const Values frames = randomValues(random, rows * sizes.joint, 2);
  std::vector<Stream> expected;
  for (const auto& place : places)
    expected.push_back({place[0], place[1], place[2], place[3], randomValues(random, sizes.width(), 0.5f)});
  std::vector<Stream> streams = expected;
  const std::vector<Tokens> tokens =
      launchAll(sizes, streams, size, blocks, room, [&](Launch& launch) { run(launch, frames); });
  size_t found = 0;
  for (size_t s = 0; s < expected.size(); s++) {
    const Tokens defined = define(sizes, network, frames, expected[s], rounding);
    if (defined.tie) continue;  // either choice is right, and what follows depends on it
    CHECK(tokens[s].ids == defined.ids);
    CHECK(tokens[s].frames == defined.frames);
    if (!network.durations.empty()) CHECK(tokens[s].places == defined.places);
    CHECK(nearSpreads(tokens[s].spreads, defined));
    CHECK(streams[s].pointer == expected[s].pointer && streams[s].symbols == expected[s].symbols);
    CHECK(near(streams[s].state, expected[s].state));
    found += defined.ids.size();
  }
  return found;
}

}  // namespace parakeet::test::greedy
