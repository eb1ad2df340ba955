#include <algorithm>
#include <cmath>

#include "model/log_mel.h"
#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"

namespace parakeet::test {
namespace {

bool sameTokens(const Tokens& tokens, const Tokens& golden) {
  return tokens.size() == golden.size() &&
         std::equal(tokens.begin(), tokens.end(), golden.begin(), [](const Token& a, const Token& b) {
           return a.id == b.id && a.start == b.start && a.duration == b.duration &&
                  std::abs(a.confidence - b.confidence) < 1e-3f;
         });
}

}  // namespace

void goldens(const Goldens& models) {
  const CancelFlag never;
  for (const GoldenModel& golden : models) {
    onEngine([&] {
      const std::vector<float> audio = golden.samples();
      const Matrix logMel = wholeLogMel(golden.model->filters(), audio.data(), audio.size(), 0, never);
      CHECK_SAYING(largestDifference(logMel, golden.array("log_mel")) < 1e-3f, golden.name);
      const Matrix features = golden.array("features");
      const Encoder& encoder = *golden.model->encoder();
      CHECK_SAYING(largestDifference(toMatrix(encoder.encode(features, {}, never)), golden.array("encoded")) < 1e-4f,
                   golden.name);
      const Matrix banded = toMatrix(encoder.encode(features, {16, 8}, never));
      CHECK_SAYING(largestDifference(banded, golden.array("encoded_local_16_8")) < 1e-4f, golden.name);
      const Tokens tokens = golden.model->decode(toFrameRows(golden.array("encoded")), golden.greedy(), never);
      CHECK_SAYING(sameTokens(tokens, golden.tokens.at("greedy")), golden.name);
      // Rows of another width are refused before anything reads them.
      const Matrix narrow{std::vector<float>(3 * 5), 3, 5};
      CHECK(!thrownBy([&] { encoder.encode(narrow, {}, never); }).empty());
      CHECK(!thrownBy([&] { golden.model->decode(toFrameRows(narrow), golden.greedy(), never); }).empty());
    });
  }
}

}  // namespace parakeet::test
