#include <cstdio>
#include <filesystem>
#include <fstream>

#include "lm/kneser_ney.h"
#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"

namespace parakeet::test {
namespace {

bool same(const Tokens& one, const Tokens& other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(), [](const Token& a, const Token& b) {
           return a.id == b.id && a.start == b.start && a.duration == b.duration;
         });
}

// A language model of random text.
std::shared_ptr<const Fusion> someFusion(int vocabulary, std::mt19937& random) {
  std::vector<int32_t> text;
  for (int i = 0; i < 3000; i++) text.push_back(static_cast<int32_t>(random() % static_cast<unsigned>(vocabulary)));
  lm::WindowCounts counts(3);
  counts.add(text.data(), text.size());
  const auto words = lm::encode(lm::estimate(counts.take(), 3, static_cast<uint32_t>(vocabulary), 0), {});
  const auto file =
      (std::filesystem::temp_directory_path() / ("parakeet-" + std::to_string(random()) + ".lm")).string();
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(8 * words.size()));
  auto fusion = std::make_shared<Fusion>();
  fusion->parts.push_back(
      {std::make_shared<const lm::LanguageModel>(file, static_cast<uint32_t>(vocabulary), lm::VocabularyHash{}), 1.0});
  std::filesystem::remove(file);  // a mapped file stays readable
  fusion->weight = 0.5;
  fusion->tokenBonus = 0.3;
  fusion->internalWeight = 0.1;
  return fusion;
}

}  // namespace

// Beams with and without language models: several signals at once give what each gives alone.
void beams(const Goldens& models, std::mt19937& random) {
  const CancelFlag never;
  for (const GoldenModel& golden : models) {
    const auto fusion = someFusion(golden.config.vocabulary, random);
    onEngine([&] {
      const FrameRows encoded = toFrameRows(golden.array("encoded"));
      for (const BeamSearch search : {BeamSearch::frame, BeamSearch::parakeetMlx}) {
        for (const auto& lm : {std::shared_ptr<const Fusion>(), fusion}) {
          for (const int size : {1, 4}) {
            Decoding decoding = golden.greedy();
            decoding.beam = Beam{size, 0, 1, 0.5, search};
            decoding.lm = lm;
            std::vector<Model::Encoded> signals;
            std::vector<Tokens> alone;
            for (int i = 0; i < 4; i++) {
              const int from = static_cast<int>(random() % static_cast<unsigned>(encoded.count));
              signals.push_back({encoded.part(from, encoded.count - from)});
              alone.push_back(golden.model->decode(std::vector<Model::Encoded>{signals.back()}, decoding, never)[0]);
            }
            const std::vector<Tokens> together = golden.model->decode(signals, decoding, never);
            for (size_t i = 0; i < signals.size(); i++) CHECK_SAYING(same(together[i], alone[i]), golden.name);
          }
        }
      }
    });
  }
}

}  // namespace parakeet::test
