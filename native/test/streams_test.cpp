#include <algorithm>
#include <thread>

#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"
#include "test/test_stream.h"

namespace parakeet::test {
namespace {

struct Plan {
  const GoldenModel* golden;
  StreamOptions options;
  std::vector<float> samples;
  std::vector<size_t> pieces;
};

Plan randomPlan(const Goldens& models, std::mt19937& random) {
  const auto upTo = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  const GoldenModel& golden = models[static_cast<size_t>(upTo(static_cast<int>(models.size())))];
  std::vector<float> samples = golden.samples();
  samples.resize(samples.size() / 4 + static_cast<size_t>(upTo(static_cast<int>(samples.size() * 3 / 4))));
  std::vector<size_t> pieces;
  for (int i = 0; i < 5; i++) pieces.push_back(static_cast<size_t>(1 + upTo(9000)));
  StreamOptions options = streamOptions(1 + upTo(6), upTo(6), 4 + upTo(12));
  if (upTo(2) == 0) options.agreement = {2 + upTo(2), upTo(3), 0};
  return {&golden, std::move(options), std::move(samples), std::move(pieces)};
}

}  // namespace

void streams(const Goldens& models, std::mt19937& random) {
  std::vector<Plan> plans;
  for (int i = 0; i < 12; i++) plans.push_back(randomPlan(models, random));
  std::vector<Tokens> alone, together(plans.size());
  for (const Plan& plan : plans) alone.push_back(streamed(*plan.golden, plan.options, plan.samples, {100'000'000}));
  // Callers on threads of their own, whose steps the engine puts into batches.
  std::vector<std::thread> callers;
  for (size_t i = 0; i < plans.size(); i++) {
    callers.emplace_back([&, i] {
      const Plan& plan = plans[i];
      together[i] = streamed(*plan.golden, plan.options, plan.samples, plan.pieces);
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < plans.size(); i++) CHECK_SAYING(same(alone[i], together[i]), plans[i].golden->name);
  CHECK(std::any_of(alone.begin(), alone.end(), [](const Tokens& tokens) { return !tokens.empty(); }));
}

void snapshots(const Goldens& models, std::mt19937& random) {
  for (int i = 0; i < 8; i++) {
    const Plan plan = randomPlan(models, random);
    const size_t cut = random() % plan.samples.size();
    TestStream first(*plan.golden, plan.options);
    first.push(plan.samples.data(), cut);
    const Saved saved = first.save();
    TestStream second(*plan.golden, plan.options);
    second.load(saved);
    second.tokens = first.tokens;
    for (TestStream* stream : {&first, &second}) {
      stream->push(plan.samples.data() + cut, plan.samples.size() - cut);
      stream->finish();
    }
    CHECK_SAYING(same(first.tokens, second.tokens), plan.golden->name);
    // Truncated or modified snapshots are refused or give other tokens; they are never read past their end.
    Saved damaged = saved;
    for (std::vector<uint8_t>& bytes : damaged.states) {
      if (random() % 2 == 0)
        bytes.resize(random() % (bytes.size() + 1));
      else if (!bytes.empty())
        bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1 + random() % 255);
    }
    TestStream third(*plan.golden, plan.options);
    thrownBy([&] {
      third.load(damaged);
      third.push(plan.samples.data(), std::min<size_t>(plan.samples.size(), 16'000));
    });
  }
}

void cancellation(const Goldens& models, std::mt19937& random) {
  const GoldenModel& golden = models[0];
  const std::vector<float> samples = golden.samples();
  const Tokens whole = onEngine([&] {
    const CancelFlag never;
    const Heard heard =
        listen(golden.model->filters(), golden.model->config().encoder.subsamplingFactor, samples, {}, never);
    return golden.model->recognize({&heard}, {}, golden.greedy(), never)[0];
  });
  for (int round = 0; round < 20; round++) {
    std::vector<CancelFlagPtr> flags;
    std::vector<std::shared_ptr<Answer<Tokens>>> answers;
    for (int i = 0; i < 6; i++) {
      flags.push_back(std::make_shared<CancelFlag>());
      answers.push_back(askRecording(*golden.model, samples, golden.greedy(), flags.back()));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    for (size_t i = 0; i < flags.size(); i += 2) flags[i]->cancel();
    for (size_t i = 0; i < answers.size(); i++) {
      Tokens tokens;
      const std::string thrown = thrownBy([&] { tokens = answers[i]->future.get(); });
      CHECK(i % 2 == 0 || thrown.empty());
      if (thrown.empty()) CHECK(same(tokens, whole));
      CHECK(answers[i]->settled == 1);
    }
    TestStream stream(golden, streamOptions(2, 2, 8));
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 5'000));
      stream.cancel();
    });
    thrownBy([&] { stream.push(samples.data(), samples.size()); });
    canceller.join();
    CHECK(stream.settledTwice == 0);
  }
}

void manySessions(const Goldens& models, std::mt19937& random) {
  const int before = Counted<SessionTag>::alive();
  // Before anything runs: weights are unpacked in parallel, and only the engine's thread may do that beside a request.
  const std::vector<float> samples = models[0].samples();
  std::vector<std::thread> callers;
  std::vector<unsigned> seeds;
  for (int i = 0; i < 4; i++) seeds.push_back(static_cast<unsigned>(random()));
  for (int i = 0; i < 4; i++) {
    callers.emplace_back([&models, &samples, seed = seeds[static_cast<size_t>(i)]] {
      std::mt19937 own(seed);
      for (int k = 0; k < 250; k++) {
        TestStream stream(models[own() % models.size()], streamOptions(2, 1, 8));
        if (k % 10 == 0) stream.push(samples.data(), 4'000 + own() % 8'000);
        if (k % 20 == 0) stream.finish();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(Counted<SessionTag>::alive() == before);
}

}  // namespace parakeet::test
