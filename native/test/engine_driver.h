// Asks the engine for things as the binding does: requests with waiters, whose answers are futures here.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "engine/engine.h"

namespace parakeet::test {

// Runs `work` on the engine's thread and gives what it returns, or throws what it throws.
template <class Work>
auto onEngine(Work work) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto result = task.get_future();
  Engine::instance().inference().post([&task] { task(); });
  return result.get();
}

// A request's answer. Reports if it is settled more than once.
template <class Result>
struct Answer {
  std::promise<Result> promise;
  std::future<Result> future = promise.get_future();
  std::atomic<int> settled{0};
};

template <class Result>
std::pair<std::shared_ptr<Answer<Result>>, Waiter<Result>> answer(CancelFlagPtr cancel) {
  auto shared = std::make_shared<Answer<Result>>();
  Waiter<Result> waiter;
  waiter.cancel = std::move(cancel);
  waiter.begin = [] { return true; };
  waiter.give = [shared](Result result, double) {
    if (shared->settled++ == 0) shared->promise.set_value(std::move(result));
  };
  waiter.fail = [shared](std::exception_ptr failure) {
    if (shared->settled++ == 0) shared->promise.set_exception(std::move(failure));
  };
  return {std::move(shared), std::move(waiter)};
}

inline std::shared_ptr<Answer<std::optional<Ticket>>> askStep(EncoderSession* session, const CancelFlagPtr& cancel) {
  auto [shared, waiter] = answer<std::optional<Ticket>>(cancel);
  Engine::instance().inference().post([session, waiter = std::move(waiter)]() mutable {
    Engine::instance().steps().add({[session] { return session; }, std::move(waiter)});
  });
  return shared;
}

inline std::shared_ptr<Answer<Decoded>> askDecode(DecoderSession* decoder, EncoderSession* encoder, int ticket,
                                                  const CancelFlagPtr& cancel) {
  auto [shared, waiter] = answer<Decoded>(cancel);
  Engine::instance().inference().post([decoder, encoder, ticket, waiter = std::move(waiter)]() mutable {
    Engine::instance().decodes().add(
        {[decoder] { return decoder; }, [encoder, ticket] { return encoder->take(ticket); }, true, std::move(waiter)});
  });
  return shared;
}

inline std::shared_ptr<Answer<Tokens>> askRecording(const Model& model, std::vector<float> samples,
                                                    const Decoding& decoding, const CancelFlagPtr& cancel) {
  auto [shared, waiter] = answer<Tokens>(cancel);
  const int frames =
      static_cast<int>(samples.size()) / model.config().preprocessor.hop / model.config().encoder.subsamplingFactor;
  RecordingRequest request{
      [&model]() -> const Model& { return model; },
      [filters = model.filters(), factor = model.config().encoder.subsamplingFactor,
       samples = std::move(samples)](const CancelFlag& flag) { return listen(filters, factor, samples, {}, flag); },
      frames,
      {},
      decoding,
      std::move(waiter)};
  Engine::instance().hear(std::move(request));
  return shared;
}

}  // namespace parakeet::test
