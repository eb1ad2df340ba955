#include "lm/language_model.h"

#include <cmath>
#include <cstring>

#include "error.h"
#include "lm/bits.h"

namespace parakeet::lm {
namespace {

constexpr const char* invalid = "ERR_PARAKEET_INVALID_LANGUAGE_MODEL";

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw Error(invalid, "Expected a language model in " + path + " but " + reason);
}

}  // namespace

LanguageModel::LanguageModel(const std::string& path, uint32_t vocabulary, const VocabularyHash& vocabularyHash)
    : file_(path, invalid) {
  FileHeader header{};
  if (file_.size() < sizeof header) fail(path, "it is too short to be one");
  std::memcpy(&header, file_.data(), sizeof header);
  if (header.mark != magic) fail(path, "it begins as something else");
  if (header.version != formatVersion)
    fail(path, "it has format version " + std::to_string(header.version) + ", and this is version " +
                   std::to_string(formatVersion));
  if (header.order < 1 || header.order > mostOrder)
    fail(path, "its order is " + std::to_string(header.order) + ", and at most " + std::to_string(mostOrder) +
                   " can be read");
  if (header.vocabulary < 1 || header.vocabulary > mostPieces) fail(path, "its vocabulary has no possible size");
  order_ = static_cast<int>(header.order);
  std::array<uint64_t, mostOrder> counts{};
  for (int n = 1; n < order_; n++) {
    counts[n] = header.levels[n].count;
    if (counts[n] > mostGrams) fail(path, "it claims more grams than it can have");
  }
  const Layout layout(order_, header.vocabulary, counts);
  if (header.bytes != file_.size() || layout.bytes != file_.size())
    fail(path, "it has " + std::to_string(file_.size()) + " bytes where its head tells of " +
                   std::to_string(layout.bytes) + ": it was cut or altered");
  hash_ = header.hash;
  header.hash = 0;
  const auto* words = reinterpret_cast<const uint64_t*>(file_.data());
  std::array<uint64_t, sizeof header / 8> head{};
  std::memcpy(head.data(), &header, sizeof header);
  const uint64_t own =
      hashWords(hashWords(hashStart, head.data(), head.size()), words + head.size(), file_.size() / 8 - head.size());
  if (own != hash_) fail(path, "its checksum does not match: it was altered");
  if (header.vocabulary != vocabulary || header.vocabularyHash != vocabularyHash)
    fail(path, "it was made for another vocabulary than this model's: make it again with --model");
  vocabulary_ = vocabulary;
  tokenBits_ = tokenBits(vocabulary);
  for (int n = 0; n < order_; n++) {
    Level& level = levels_[n];
    const Layout::Level& place = layout.levels[n];
    const auto* at = file_.data();
    level.header = header.levels[n];
    level.width = place.width;
    if (n == 0) {
      level.bytes = at + place.values;
      level.backoffBytes = at + place.backoffs;
      level.first = reinterpret_cast<const uint32_t*>(at + place.children);
    } else {
      level.grams = reinterpret_cast<const uint64_t*>(at + place.values);
      level.children = reinterpret_cast<const uint64_t*>(at + place.children);
      level.directory = reinterpret_cast<const uint32_t*>(at + place.directory);
    }
    const auto& [count, valueLow, valueStep, backoffLow, backoffStep] = level.header;
    for (const float one : {valueLow, valueStep, backoffLow, backoffStep}) {
      if (!std::isfinite(one) || std::abs(one) > 1e4f) fail(path, "its values are none");
    }
  }
  checkStructure(path);
  if (header.start == noStart) return;
  if (header.start > vocabulary) fail(path, "its first context is a token that it does not have");
  start_.places[0] = header.start;
}

void LanguageModel::checkStructure(const std::string& path) const {
  // The children of all grams lie one behind the other and are all there are, sorted within each gram.
  const auto broken = [&] { fail(path, "its grams are not in order: it was altered"); };
  for (int n = 0; n + 1 < order_; n++) {
    const auto all = static_cast<uint32_t>(levels_[n + 1].header.count);
    const uint32_t grams = n == 0 ? vocabulary_ + 1 : static_cast<uint32_t>(levels_[n].header.count);
    const uint64_t bits = uint64_t{grams} + all;
    uint32_t begin = 0;
    uint64_t at = 0;
    for (uint32_t i = 0; i < grams; i++) {
      uint32_t end = begin;
      if (n == 0) {
        end = levels_[0].first[i + 1];
        if (levels_[0].first[i] != begin || end < begin) broken();
      } else {
        if (i % 64 == 0 && levels_[n].directory[i / 64] != at) broken();
        for (; at < bits && bitsAt(levels_[n].children, at, 1) != 0; at++) end++;
        if (at == bits) broken();
        at++;
      }
      if (end > all) broken();
      for (uint32_t k = begin; k < end; k++) {
        const uint32_t token = tokenOf(n + 1, k);
        if (token >= vocabulary_ || (k > begin && tokenOf(n + 1, k - 1) >= token)) broken();
      }
      begin = end;
    }
    if (begin != all) broken();
  }
}

LanguageModel::Range LanguageModel::childrenOf(int level, uint32_t gram) const {
  const Level& own = levels_[level];
  if (level == 0) return {own.first[gram], own.first[gram + 1]};
  const uint64_t begin = skipZeros(own.children, own.directory[gram / 64], static_cast<int>(gram % 64));
  const uint64_t end = skipZeros(own.children, begin, 1) - 1;
  return {static_cast<uint32_t>(begin - gram), static_cast<uint32_t>(end - gram)};
}

uint32_t LanguageModel::find(int level, uint32_t gram, uint32_t token) const {
  auto [begin, end] = childrenOf(level, gram);
  const uint32_t last = end;
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    if (tokenOf(level + 1, middle) < token)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin < last && tokenOf(level + 1, begin) == token ? begin : Context::none;
}

uint32_t LanguageModel::tokenOf(int level, uint32_t gram) const {
  const Level& own = levels_[level];
  return static_cast<uint32_t>(bitsAt(own.grams, uint64_t{gram} * static_cast<uint64_t>(own.width), tokenBits_));
}

float LanguageModel::value(int level, uint32_t gram) const {
  const Level& own = levels_[level];
  const uint64_t at = uint64_t{gram} * static_cast<uint64_t>(own.width) + static_cast<uint64_t>(tokenBits_);
  const uint64_t byte = level == 0 ? own.bytes[gram] : bitsAt(own.grams, at, 8);
  return own.header.valueLow + static_cast<float>(byte) * own.header.valueStep;
}

float LanguageModel::backoff(int level, uint32_t gram) const {
  const Level& own = levels_[level];
  const uint64_t at = uint64_t{gram} * static_cast<uint64_t>(own.width) + static_cast<uint64_t>(tokenBits_) + 8;
  const uint64_t byte = level == 0 ? own.backoffBytes[gram] : bitsAt(own.grams, at, 8);
  return own.header.backoffLow + static_cast<float>(byte) * own.header.backoffStep;
}

float LanguageModel::score(const Context& context, uint32_t token) const {
  float penalty = 0;
  for (int n = order_ - 2; n >= 0; n--) {
    const uint32_t place = context.places[n];
    if (place == Context::none) continue;
    const uint32_t gram = find(n, place, token);
    if (gram != Context::none) return penalty + value(n + 1, gram);
    penalty += backoff(n, place);
  }
  return penalty + value(0, token);
}

Context LanguageModel::next(const Context& context, uint32_t token) const {
  Context after;
  if (order_ < 2) return after;
  after.places[0] = token;
  for (int n = 0; n + 2 < order_; n++) {
    if (context.places[n] != Context::none) after.places[n + 1] = find(n, context.places[n], token);
  }
  return after;
}

bool LanguageModel::holds(const Context& context) const {
  for (int n = 0; n < mostOrder - 1; n++) {
    const uint32_t place = context.places[n];
    if (place == Context::none) continue;
    const uint64_t grams = n == 0 ? uint64_t{vocabulary_} + 1 : n + 1 < order_ ? levels_[n].header.count : 0;
    if (place >= grams) return false;
  }
  return true;
}

}  // namespace parakeet::lm
