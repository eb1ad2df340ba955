// Language models: estimated from a text, encoded, read again, damaged. Prints what was wrong; see
// language_model.test.ts. Its file lies beside the program.
#include "lm/language_model.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "error.h"
#include "lm/gram_table.h"
#include "lm/kneser_ney.h"

using namespace parakeet::lm;

namespace {

int wrong = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  wrong++;
  std::puts(what.c_str());
}

constexpr uint32_t vocabulary = 300;
const VocabularyHash hash{1, 2, 3};
std::string file;

void write(const std::vector<uint64_t>& words) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(8 * words.size()));
}

// Tokens in which the next one depends on the last two; -1 ends texts.
std::vector<int32_t> someText(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> text;
  int32_t last = 0, before = 0;
  for (int i = 0; i < count; i++) {
    const auto next =
        static_cast<int32_t>((last * 7 + before % 5 * 31 + static_cast<int32_t>(random() % 4)) % vocabulary);
    before = last;
    last = next;
    text.push_back(random() % 300 == 0 ? -1 : next);
  }
  return text;
}

std::vector<uint64_t> made(const std::vector<int32_t>& text, int order, uint64_t mostBytes, size_t piece) {
  WindowCounts counts(order);
  for (size_t i = 0; i < text.size(); i += piece) counts.add(text.data() + i, std::min(piece, text.size() - i));
  return encode(estimate(counts.take(), order, vocabulary, mostBytes), hash);
}

double sumOf(const LanguageModel& model, const Context& context) {
  double sum = 0;
  for (uint32_t token = 0; token < vocabulary; token++)
    sum += std::exp(static_cast<double>(model.score(context, token)));
  return sum;
}

// Nats a token on a text; the probabilities of every tenth context have the sum 1.
double entropyOf(const LanguageModel& model, const std::vector<int32_t>& text) {
  Context context = model.start();
  double sum = 0;
  int count = 0;
  for (const int32_t token : text) {
    if (token < 0) continue;
    if (count % 10 == 0) expect(std::abs(sumOf(model, context) - 1) < 0.05, "probabilities have another sum than 1");
    expect(model.holds(context), "a context of the model is not one of its own");
    sum -= model.score(context, static_cast<uint32_t>(token));
    context = model.next(context, static_cast<uint32_t>(token));
    count++;
  }
  return sum / count;
}

void learnsAndPrunes() {
  const std::vector<int32_t> text = someText(60'000, 1), other = someText(3000, 2);
  double before = 0;
  for (int order = 1; order <= mostOrder; order++) {
    write(made(text, order, 0, 1000));
    const LanguageModel model(file, vocabulary, hash);
    expect(model.order() == order, "another order");
    const double entropy = entropyOf(model, other);
    // The text depends on two tokens: longer contexts add nothing, and take nothing away.
    if (order == 2 || order == 3) expect(entropy < before - 0.5, "nothing learnt of a longer context");
    if (order > 3) expect(entropy < before + 0.05, "a longer context does harm");
    before = entropy;
  }
  double whole = 0;
  for (const uint64_t size : {uint64_t{0}, uint64_t{60'000}, uint64_t{20'000}, uint64_t{8'000}}) {
    const auto words = made(text, 4, size, 1000);
    expect(size == 0 || 8 * words.size() <= size, "larger than asked for");
    expect(size == 0 || 8 * words.size() > size - size / 10, "much smaller than asked for");
    write(words);
    const double entropy = entropyOf(LanguageModel(file, vocabulary, hash), other);
    expect(entropy > whole - 0.02, "a pruned model knows more");
    whole = entropy;
  }
  expect(made(text, 4, 20'000, 7) == made(text, 4, 20'000, 100'000), "the pieces of the text matter");
  // So many windows that they are sorted in several runs.
  const std::vector<int32_t> much = someText(5'000'000, 3);
  WindowCounts counts(3);
  counts.add(much.data(), much.size());
  uint64_t all = 0, tokens = 0;
  for (const auto& [window, count] : counts.take()) all += count;
  for (const int32_t token : much) tokens += token >= 0;
  expect(all == tokens, "windows lost");
}

void smallTexts() {
  const std::vector<std::vector<int32_t>> texts{{5}, {5, 5}, {-1, 7, -1}, {1, 2, 3}};
  for (const auto& text : texts) {
    for (int order = 1; order <= mostOrder; order++) {
      write(made(text, order, 0, 1));
      entropyOf(LanguageModel(file, vocabulary, hash), text);
    }
  }
}

// Whatever a file contains: it is refused, or it can be used.
void damaged() {
  const auto words = made(someText(20'000, 4), 4, 0, 1000);
  std::mt19937 random(5);
  int refused = 0, used = 0;
  for (int i = 0; i < 3000; i++) {
    std::vector<uint64_t> bad = words;
    if (i % 10 == 0) {
      bad.resize(random() % words.size());
      if (bad.empty()) continue;
    } else {
      for (auto changes = 1 + random() % 4; changes > 0; changes--) {
        const size_t place = i % 3 == 0 ? random() % (sizeof(FileHeader) / 8) : random() % bad.size();
        bad[place] ^= i % 2 == 0 ? uint64_t{1} << random() % 64 : random();
      }
    }
    // A checksum is no protection against who can compute one.
    if (i % 5 != 0 && bad.size() * 8 > sizeof(FileHeader)) {
      bad[offsetof(FileHeader, hash) / 8] = 0;
      bad[offsetof(FileHeader, hash) / 8] = hashWords(hashStart, bad.data(), bad.size());
    }
    write(bad);
    try {
      const LanguageModel model(file, vocabulary, hash);
      Context context = model.start();
      for (int k = 0; k < 50; k++) {
        const auto token = static_cast<uint32_t>(random() % vocabulary);
        if (std::isnan(model.score(context, token))) expect(false, "no number");
        context = model.next(context, token);
      }
      used++;
    } catch (const parakeet::Error& error) {
      expect(error.code() == "ERR_PARAKEET_INVALID_LANGUAGE_MODEL", "another code: " + error.code());
      refused++;
    }
  }
  expect(refused > 1000 && used > 100, "the damage is always of one kind: " + std::to_string(refused) + " refused");
  write(words);
  const auto refuses = [&](uint32_t size, const VocabularyHash& other) {
    try {
      LanguageModel(file, size, other);
      return false;
    } catch (const parakeet::Error&) {
      return true;
    }
  };
  expect(refuses(vocabulary + 1, hash) && refuses(vocabulary, {}), "another vocabulary is taken");
}

// Grams in any order give p = the longest gram, or back-off and the next shorter one.
void fromGrams() {
  GramTable table(vocabulary);
  const auto add = [&](std::vector<int32_t> tokens, float value, float backoff) {
    table.add(tokens.data(), static_cast<int>(tokens.size()), value, backoff);
  };
  add({1, 2, 3}, -0.25f, 0);
  add({300, 2}, -2.5f, -0.5f);
  add({1, 2}, -1, -0.75f);
  add({2, 3}, -2, 0);
  add({2}, -4, -0.5f);
  add({3}, -5, 0);
  add({1}, -3, -0.25f);
  add({300}, -99, -1.5f);
  write(encode(table.take(-8), hash));
  const LanguageModel model(file, vocabulary, hash);
  // Bytes hold them to a step.
  const auto near = [](float value, float wanted) { return std::abs(value - wanted) < 0.5f; };
  const Context start = model.start(), after1 = model.next(start, 1), after12 = model.next(after1, 2);
  expect(near(model.score(start, 2), -2.5f), "<s> 2");
  expect(near(model.score(start, 3), -6.5f), "<s> 3, by back-off");
  expect(near(model.score(after1, 2), -1), "1 2");
  expect(near(model.score(after12, 3), -0.25f), "1 2 3");
  expect(near(model.score(after12, 9), -0.75f - 0.5f - 8), "an unseen token, by two back-offs");
  for (const std::vector<int32_t>& bad : {std::vector<int32_t>{1, 9, 3}, {1, 2, 3}, {1, 300}, {-2}, {301}}) {
    GramTable other(vocabulary);
    try {
      const int32_t one = 1;
      other.add(&one, 1, -1, 0);
      for (int i = 0; i < 2; i++) other.add(bad.data(), static_cast<int>(bad.size()), -1, 0);
      other.take(-8);
      expect(false, "grams that cannot be are taken");
    } catch (const parakeet::Error& error) {
      expect(error.code() == "ERR_PARAKEET_INVALID_LANGUAGE_MODEL", "another code");
    }
  }
}

}  // namespace

int main(int, char** arguments) {
  file = (std::filesystem::path(arguments[0]).parent_path() / "test.lm").string();
  learnsAndPrunes();
  smallTexts();
  damaged();
  fromGrams();
  std::remove(file.c_str());
  return wrong == 0 ? 0 : 1;
}
