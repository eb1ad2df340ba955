// Recordings that are listened to before the engine has time for them: all of them, once, in order, and what came of it
// is what a batch makes of them by itself.
#include "engine/early_listening.h"

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"
#include "test/test_stream.h"

namespace parakeet::test {
namespace {

enum class Kind { sounds, fails, cancelled };

}  // namespace

void earlyListening(const Goldens& models, std::mt19937& random) {
  const GoldenModel& golden = models[0];
  const std::vector<float> samples = golden.samples();
  const int factor = golden.config.encoder.subsamplingFactor;
  const auto listenToIt = [&](const CancelFlag& flag) {
    return listen(golden.model->filters(), factor, samples, {}, flag);
  };
  const Tokens whole = onEngine([&] {
    const CancelFlag never;
    const Heard heard = listenToIt(never);
    return golden.model->recognize({&heard}, {}, golden.greedy(), never)[0];
  });

  constexpr int count = 40;
  std::vector<Kind> kinds;
  std::vector<std::shared_ptr<Answer<Tokens>>> answers;
  std::vector<std::atomic<int>> calls(count);
  std::deque<RecordingRequest> listened;
  std::promise<void> all;
  static Worker* worker = new Worker();
  EarlyListening early(*worker, [&](RecordingRequest request) {
    CHECK(!request.listen);
    CHECK(request.frames == static_cast<int>(listened.size()));
    listened.push_back(std::move(request));
    if (listened.size() == count) all.set_value();
  });
  for (int i = 0; i < count; i++) {
    kinds.push_back(static_cast<Kind>(random() % 3));
    const auto flag = std::make_shared<CancelFlag>();
    if (kinds[i] == Kind::cancelled) flag->cancel();
    auto [shared, waiter] = answer<Tokens>(flag);
    answers.push_back(shared);
    const auto own = [&, i](const CancelFlag& cancel) {
      calls[i]++;
      if (kinds[i] == Kind::fails) throw Error("ERR_PARAKEET_TEST", "no ears");
      return listenToIt(cancel);
    };
    early.add({[&]() -> const Model& { return *golden.model; }, own, i, {}, golden.greedy(), std::move(waiter)});
  }
  all.get_future().get();

  BatchCounts counts;
  onEngine([&] {
    while (!listened.empty()) runRecordings(listened, 100, counts);
  });
  int heard = 0;
  for (int i = 0; i < count; i++) {
    Tokens tokens;
    const std::string thrown = thrownBy([&] { tokens = answers[i]->future.get(); });
    CHECK(answers[i]->settled == 1);
    CHECK(calls[i] == (kinds[i] == Kind::cancelled ? 0 : 1));
    CHECK(thrown.empty() == (kinds[i] == Kind::sounds));
    if (kinds[i] != Kind::sounds) continue;
    CHECK(same(tokens, whole));
    heard++;
  }
  CHECK(counts.recordings == heard);
}

}  // namespace parakeet::test
