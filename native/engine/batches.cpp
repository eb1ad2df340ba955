#include "engine/batches.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "model/error.h"

namespace parakeet {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The session of a request, or why there is none.
template <class Session>
struct Found {
  explicit Found(const std::function<Session*()>& find) {
    try {
      session = find();
      if (!session) throw Error("ERR_PARAKEET_CLOSED", "Expected an open object but it was closed");
    } catch (...) {
      failure = std::current_exception();
    }
  }
  Session* session = nullptr;
  std::exception_ptr failure;
};

struct Step {
  EncoderSession* session;
  Waiter<std::optional<Ticket>> waiter;
  PlannedStep planned;
  int frames = 0;  // of encoder output that it will give, about
};

// Encodes the pieces of all, and settles them.
void encodeSteps(std::vector<Step>& steps, const CancelFlag& cancel) {
  const auto start = Clock::now();
  std::vector<EncoderPiece> pieces;
  for (Step& step : steps) pieces.push_back(std::move(*step.planned.piece));
  std::vector<EncodedPiece> encoded = steps[0].session->encoder().encode(std::move(pieces), cancel);
  const double seconds = secondsSince(start);
  int rows = 0;
  for (const EncodedPiece& piece : encoded) rows += piece.encoded.rows;
  for (size_t i = 0; i < steps.size(); i++) {
    const double share = seconds * encoded[i].encoded.rows / std::max(1, rows);
    steps[i].waiter.give(
        steps[i].session->keep(std::move(steps[i].planned), std::move(encoded[i]), static_cast<int>(steps.size())),
        share);
  }
}

}  // namespace

void runSteps(std::deque<StepRequest>& waiting, int mostFrames, BatchCounts& counts) {
  std::vector<Step> steps;
  std::deque<StepRequest> others;
  int frames = 0;
  while (!waiting.empty() && (steps.empty() || frames < mostFrames)) {
    StepRequest request = std::move(waiting.front());
    waiting.pop_front();
    const auto [session, failure] = Found<EncoderSession>(request.session);
    const bool fits = steps.empty() || !session ||
                      (&session->encoder() == &steps[0].session->encoder() &&
                       std::none_of(steps.begin(), steps.end(),
                                    [session = session](const Step& step) { return step.session == session; }));
    if (!fits) {
      others.push_back(std::move(request));
      continue;
    }
    if (!request.waiter.begin()) continue;
    const auto start = Clock::now();
    try {
      request.waiter.cancel->check();
      if (failure) std::rethrow_exception(failure);
      std::optional<PlannedStep> planned = session->stream().plan();
      if (!planned) {
        request.waiter.give(std::nullopt, 0);
      } else if (!planned->piece) {
        request.waiter.give(session->keep(std::move(*planned), std::nullopt), secondsSince(start));
      } else {
        const int own = planned->piece->features.rows / session->encoder().config().subsamplingFactor;
        steps.push_back({session, std::move(request.waiter), std::move(*planned), own});
        frames += own;
      }
    } catch (...) {
      request.waiter.fail(std::current_exception());
    }
  }
  waiting.insert(waiting.begin(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  if (steps.empty()) return;
  counts.batches++;
  counts.steps += static_cast<int64_t>(steps.size());
  counts.frames += frames;
  const CancelFlag never;
  try {
    encodeSteps(steps, steps.size() == 1 ? *steps[0].waiter.cancel : never);
    return;
  } catch (...) {
    if (steps.size() == 1) return steps[0].waiter.fail(std::current_exception());
  }
  // Something in the batch cannot be encoded: each by itself, so that only the one that fails hears of it.
  for (Step& step : steps) {
    try {
      step.planned = step.session->stream().plan().value();
      std::vector<Step> alone;
      alone.push_back(step);
      encodeSteps(alone, *step.waiter.cancel);
    } catch (...) {
      step.waiter.fail(std::current_exception());
    }
  }
}

void runDecodes(std::deque<DecodeRequest>& waiting, int most) {
  std::vector<DecoderSession::Job> jobs;
  std::vector<Waiter<Decoded>> waiters;
  std::deque<DecodeRequest> others;
  while (!waiting.empty() && static_cast<int>(jobs.size()) < most) {
    DecodeRequest request = std::move(waiting.front());
    waiting.pop_front();
    const auto [session, failure] = Found<DecoderSession>(request.session);
    const bool fits = jobs.empty() || !session ||
                      (&session->decoder() == &jobs[0].session->decoder() &&
                       std::none_of(jobs.begin(), jobs.end(), [session = session](const DecoderSession::Job& job) {
                         return job.session == session;
                       }));
    if (!fits) {
      others.push_back(std::move(request));
      continue;
    }
    if (!request.waiter.begin()) continue;
    try {
      request.waiter.cancel->check();
      if (failure) std::rethrow_exception(failure);
      jobs.push_back({session, request.step(), request.draft});
      waiters.push_back(std::move(request.waiter));
    } catch (...) {
      request.waiter.fail(std::current_exception());
    }
  }
  waiting.insert(waiting.begin(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  if (jobs.empty()) return;
  const auto start = Clock::now();
  try {
    std::vector<Decoded> decoded = DecoderSession::decode(jobs);
    const double share = secondsSince(start) / static_cast<double>(jobs.size());
    for (size_t i = 0; i < jobs.size(); i++) waiters[i].give(std::move(decoded[i]), share);
  } catch (...) {
    for (const auto& waiter : waiters) waiter.fail(std::current_exception());
  }
}

}  // namespace parakeet
