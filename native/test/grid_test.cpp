// The caller's grid against the engine, which is asked every time: no step may be due that the grid does not see, and
// after a step or the end of a flush the grid must not ask for nothing.
#include <cmath>

#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"
#include "test/test_stream.h"

namespace parakeet::test {
namespace {

struct Side {
  std::unique_ptr<EncoderSession> session;
  StepGrid grid;
};

Side freshSide(const GoldenModel& golden, const StreamOptions& options) {
  return {onEngine([&] {
            return std::make_unique<BufferedEncoder>(golden.model->encoder(), golden.config.preprocessor, options);
          }),
          {options.chunk + options.lookahead, golden.config.encoder.subsamplingFactor, 0}};
}

// Goes on from a snapshot, as the binding does.
void restore(Side& side, const GoldenModel& golden, const StreamOptions& options) {
  ArchiveWriter archive;
  onEngine([&] { side.session->save(archive); });
  const std::vector<uint8_t> bytes = archive.take();
  onEngine([&] { side.session.reset(); });
  side = freshSide(golden, options);
  side.grid.restore();
  CHECK(side.grid.due());
  side.grid.restored(onEngine([&] {
    ArchiveReader reader(bytes.data(), bytes.size());
    side.session->load(reader);
    return side.session->position();
  }));
}

// All steps that are due. `asked`: how often the grid would have asked for nothing.
void steps(Side& side, int& asked) {
  const auto cancel = std::make_shared<CancelFlag>();
  for (;;) {
    const bool due = side.grid.due();
    const int64_t ends = side.grid.ends();
    const std::optional<Ticket> ticket = askStep(side.session.get(), cancel)->future.get();
    if (!ticket) {
      if (due) asked++;
      side.grid.noStep(ends);
      CHECK(!side.grid.due());
      return;
    }
    CHECK_SAYING(due, "frame " + std::to_string(ticket->firstFrame));
    side.grid.stepped(ticket->position, ends);
    onEngine([&] { side.session->take(ticket->number); });
  }
}

}  // namespace

void stepGrid(const Goldens& models, std::mt19937& random) {
  const auto upTo = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  const GoldenModel& golden = models[0];
  const int features = golden.config.preprocessor.features;
  for (int round = 0; round < 40; round++) {
    StreamOptions options = streamOptions(1 + upTo(5), upTo(5), 8);
    options.gate = upTo(2) == 0;
    options.grow = 1 + upTo(3);
    options.hangover = 16;
    Side side = freshSide(golden, options);
    int64_t frames = 0;
    for (int act = upTo(20); act >= 0; act--) {
      int asked = 0;
      const int kind = act == 0 ? 9 : upTo(10);
      if (kind == 9 || (kind == 8 && act > 0)) {
        // A flush of nothing asks for nothing, once.
        const bool something = onEngine([&] {
          const StreamPosition position = side.session->position();
          return position.melFrames / golden.config.encoder.subsamplingFactor > position.finalFrames;
        });
        side.grid.end();
        onEngine([&] {
          if (act == 0)
            side.session->finish(frames * golden.config.preprocessor.hop);
          else
            side.session->flush(8);
        });
        if (kind == 8 && upTo(2) == 0) restore(side, golden, options);
        steps(side, asked);
        CHECK(asked == 0 || (act > 0 && !something && asked == 1));
        continue;
      }
      if (kind == 7) restore(side, golden, options);
      const int count = upTo(30);
      const bool loud = upTo(2) == 0;
      std::vector<float> mel;
      for (int i = 0; i < count * features; i++) {
        mel.push_back(loud ? -4.0f + 3.0f * std::sin(static_cast<float>(i * i)) : std::log(0x1p-24f));
      }
      side.grid.push(count);
      onEngine([&] { side.session->push({{mel, count, features}, {}, {}}); });
      frames += count;
      steps(side, asked);
      CHECK(asked == 0);
    }
    onEngine([&] { side.session.reset(); });
  }
}

}  // namespace parakeet::test
