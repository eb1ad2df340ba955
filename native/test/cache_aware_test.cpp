// The frames of cache-aware streams, against transformers' and against the pass over the whole signal.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "engine/cache_aware_encoder.h"
#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"

namespace parakeet::test {
namespace {

// The contexts that there are golden arrays for.
constexpr int left = 8, rights[] = {0, 1, 3};

StreamOptions optionsOf(int right) {
  StreamOptions options;
  options.chunk = right + 1;
  options.context = {left, right};
  options.cache = left;
  options.normalization = NoNormalization{};
  return options;
}

// A stream whose frames are kept instead of decoded. On the engine's thread.
class FrameStream {
 public:
  FrameStream(const GoldenModel& golden, int right)
      : session_(golden.model->encoder(), golden.config.preprocessor, optionsOf(right)),
        frames_{{}, 0, golden.config.encoder.dModel},
        hop_(golden.config.preprocessor.hop) {}

  CacheAwareEncoder& session() { return session_; }
  const Matrix& frames() const { return frames_; }

  void push(const Matrix& features, int from, int until) {
    const auto at = [&](int row) { return features.data.begin() + static_cast<ptrdiff_t>(row) * features.columns; };
    session_.push({{{at(from), at(until)}, until - from, features.columns}, {}, {}});
    pushed_ = until;
  }
  void end() { session_.finish(static_cast<int64_t>(pushed_) * hop_); }
  void run() {
    const CancelFlag never;
    while (std::optional<PlannedStep> planned = session_.plan()) {
      std::optional<EncodedPiece> encoded;
      if (planned->piece) {
        std::vector<EncoderPiece> pieces;
        pieces.push_back(std::move(*planned->piece));
        encoded = std::move(session_.encoder().encode(std::move(pieces), never)[0]);
      }
      commit(std::move(*planned), std::move(encoded));
    }
  }
  void commit(PlannedStep planned, std::optional<EncodedPiece> encoded) {
    const EncodedStep step = session_.commit(std::move(planned), std::move(encoded));
    const auto count = static_cast<int>(step.finalEnd - step.firstRow);
    if (count <= 0) return;
    const Matrix rows = toMatrix(step.encoded.part(0, count));
    frames_.data.insert(frames_.data.end(), rows.data.begin(), rows.data.end());
    frames_.rows += rows.rows;
  }

 private:
  CacheAwareEncoder session_;
  Matrix frames_;
  int hop_, pushed_ = 0;
};

Matrix firstRows(const Matrix& all, int rows) {
  return {{all.data.begin(), all.data.begin() + static_cast<ptrdiff_t>(rows) * all.columns}, rows, all.columns};
}

Matrix streamed(const GoldenModel& golden, int right, const Matrix& features, std::mt19937& random) {
  FrameStream stream(golden, right);
  for (int at = 0; at < features.rows;) {
    const int until = std::min(features.rows, at + 1 + static_cast<int>(random() % 40));
    stream.push(features, at, until);
    stream.run();
    at = until;
  }
  stream.end();
  stream.run();
  return stream.frames();
}

void equalsWhole(const GoldenModel& golden, std::mt19937& random) {
  const CancelFlag never;
  const Matrix all = golden.array("features");
  for (const int right : rights) {
    const Matrix expected = golden.array("encoded_right_" + std::to_string(right));
    const Matrix used = firstRows(all, 8 * (expected.rows - 1) + 1);
    CHECK(largestDifference(streamed(golden, right, used, random), expected) < 1e-4f);
    for (int i = 0; i < 12; i++) {
      const Matrix some = firstRows(all, 1 + static_cast<int>(random() % static_cast<unsigned>(all.rows)));
      const Matrix whole = toMatrix(golden.model->encoder()->encode(some, {left, right}, never));
      CHECK_SAYING(largestDifference(streamed(golden, right, some, random), whole) < 1e-5f, std::to_string(some.rows));
    }
  }
}

bool same(const Matrix& one, const Matrix& other) {
  return one.rows == other.rows && one.rows > 0 &&
         std::memcmp(one.data.data(), other.data.data(), one.data.size() * sizeof(float)) == 0;
}

// Streams of all contexts and ages in one batch: twins give the same bits, and each what it gives alone.
void equalsBatch(const GoldenModel& golden) {
  const CancelFlag never;
  const Matrix all = golden.array("features");
  std::vector<std::unique_ptr<FrameStream>> streams, alone;
  for (int i = 0; i < 12; i++) {
    const int right = rights[i % 3], age = i / 6 * 120 + 40;
    for (auto* group : {&streams, &alone}) {
      group->push_back(std::make_unique<FrameStream>(golden, right));
      group->back()->push(all, 0, age);
      group->back()->run();
      group->back()->push(all, age, age + 64);
    }
    alone.back()->run();
  }
  for (;;) {
    std::vector<EncoderPiece> pieces;
    std::vector<std::pair<FrameStream*, PlannedStep>> due;
    for (const auto& stream : streams) {
      if (std::optional<PlannedStep> planned = stream->session().plan()) {
        pieces.push_back(std::move(planned->piece.value()));
        due.emplace_back(stream.get(), std::move(*planned));
      }
    }
    if (due.empty()) break;
    std::vector<EncodedPiece> encoded = golden.model->encoder()->encode(std::move(pieces), never);
    for (size_t i = 0; i < due.size(); i++) due[i].first->commit(std::move(due[i].second), std::move(encoded[i]));
  }
  for (size_t i = 0; i < streams.size(); i++) {
    CHECK(largestDifference(streams[i]->frames(), alone[i]->frames()) < 1e-5f);
    // Of the same context and age.
    if (i % 6 < 3) CHECK(same(streams[i]->frames(), streams[i + 3]->frames()));
  }
}

}  // namespace

void cacheAware(const Goldens& models, std::mt19937& random) {
  CHECK(!models.empty());
  for (const GoldenModel& golden : models) {
    onEngine([&] {
      equalsWhole(golden, random);
      equalsBatch(golden);
    });
  }
}

}  // namespace parakeet::test
