#include "engine/batches.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/clock.h"
#include "engine/device_failure.h"
#include "error.h"
#include "ops/pool.h"

namespace parakeet {
namespace {

// The session of a request, or the reason why there is none.
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
  int frames = 0;  // of encoder output, approximately
};

// Jobs and their waiters, side by side.
struct Decodes {
  std::vector<DecoderSession::Job> jobs;
  std::vector<Waiter<Decoded>> waiters;
};

// Whether `session` may join a batch of these: one of the same weights (`weights`) that is not in it yet.
template <class Batch, class Session, class Weights>
bool joins(const Batch& batch, const Session* session, Weights weights) {
  if (batch.empty()) return true;
  if (&weights(*session) != &weights(*batch.front().session)) return false;
  return std::none_of(batch.begin(), batch.end(), [&](const auto& one) { return one.session == session; });
}

// ---- steps: collect, run, settle

// A request for a step that joins the batch, and what came of planning it.
struct Candidate {
  StepRequest request;
  Found<EncoderSession> found;
  std::optional<PlannedStep> planned;
  std::exception_ptr failure;
};

// Plans the steps of several streams, on all cores: normalising the frames of one takes about a millisecond.
void planAll(std::vector<Candidate>& candidates) {
  ops::parallelFor(static_cast<int>(candidates.size()), 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      Candidate& one = candidates[i];
      try {
        one.request.waiter.cancel->check();
        if (one.found.failure) std::rethrow_exception(one.found.failure);
        one.planned = one.found.session->plan();
      } catch (...) {
        one.failure = std::current_exception();
      }
    }
  });
}

// Takes a planned step into the batch, or settles its request when there is nothing to encode.
void collectStep(Candidate candidate, std::vector<Step>& batch) {
  auto& [request, found, planned, failure] = candidate;
  if (failure) return request.waiter.fail(failure);
  if (!planned) return request.waiter.give(std::nullopt, 0);
  if (planned->piece) {
    const int rows = planned->piece->features.rows;
    const int frames = rows / found.session->encoder().config().subsamplingFactor;
    batch.push_back({found.session, std::move(request.waiter), std::move(*planned), frames});
    return;
  }
  const auto start = Clock::now();
  request.waiter.settle([&] { return found.session->keep(std::move(*planned), std::nullopt); },
                        [&] { return secondsSince(start); });
}

struct EncodedBatch {
  std::vector<EncodedPiece> pieces;
  double seconds = 0;
};

// Encodes the pieces of all. A failure may be caused by any of them.
EncodedBatch encodePieces(std::vector<Step>& batch, const CancelFlag& cancel) {
  const auto start = Clock::now();
  std::vector<EncoderPiece> pieces;
  for (Step& step : batch) pieces.push_back(std::move(*step.planned.piece));
  EncodedBatch encoded{batch[0].session->encoder().encode(std::move(pieces), cancel)};
  encoded.seconds = secondsSince(start);
  return encoded;
}

// Commits each step by itself: one that cannot be committed does not fail the others.
void settleSteps(std::vector<Step>& batch, EncodedBatch encoded) {
  int rows = 0;
  for (const EncodedPiece& piece : encoded.pieces) rows += piece.encoded.count;
  for (size_t i = 0; i < batch.size(); i++) {
    Step& step = batch[i];
    EncodedPiece& piece = encoded.pieces[i];
    const double share = encoded.seconds * piece.encoded.count / std::max(1, rows);
    step.waiter.settle(
        [&] { return step.session->keep(std::move(step.planned), std::move(piece), static_cast<int>(batch.size())); },
        [&] { return share; });
  }
}

// Encodes and settles all together. When that fails, half of them at a time: a smaller batch needs less memory, and in
// the end only what cannot be encoded by itself fails.
void encodeAll(std::vector<Step> batch) {
  // A cancelled stream must not stop the others: only a stream that runs alone can be stopped.
  const CancelFlag never;
  EncodedBatch encoded;
  try {
    encoded = encodePieces(batch, batch.size() == 1 ? *batch[0].waiter.cancel : never);
  } catch (...) {
    afterFailure();
    if (batch.size() == 1) return batch[0].waiter.fail(typed(std::current_exception()));
    std::vector<Step> halves[2];
    for (size_t i = 0; i < batch.size(); i++) {
      Step& step = batch[i];
      try {
        // The pieces were consumed by the batch, but the streams are unchanged.
        step.planned = step.session->plan().value();
      } catch (...) {
        step.waiter.fail(std::current_exception());
        continue;
      }
      halves[2 * i < batch.size() ? 0 : 1].push_back(std::move(step));
    }
    for (std::vector<Step>& half : halves) {
      if (!half.empty()) encodeAll(std::move(half));
    }
    return;
  }
  settleSteps(batch, std::move(encoded));
}

// ---- decodes

void collectDecode(DecodeRequest request, const Found<DecoderSession>& found, Decodes& batch) {
  try {
    request.waiter.cancel->check();
    if (found.failure) std::rethrow_exception(found.failure);
    batch.jobs.push_back({found.session, request.step(), request.draft});
  } catch (...) {
    return request.waiter.fail(std::current_exception());
  }
  batch.waiters.push_back(std::move(request.waiter));
}

// Decodes all together; when that fails, half of them at a time, so that only what cannot be decoded fails.
void decodeAll(const Decodes& batch) {
  const auto start = Clock::now();
  std::vector<Decoded> decoded;
  try {
    decoded = DecoderSession::decode(batch.jobs);
  } catch (...) {
    afterFailure();
    if (batch.jobs.size() == 1) return batch.waiters[0].fail(typed(std::current_exception()));
    const auto middle = static_cast<ptrdiff_t>(batch.jobs.size() / 2);
    decodeAll(
        {{batch.jobs.begin(), batch.jobs.begin() + middle}, {batch.waiters.begin(), batch.waiters.begin() + middle}});
    decodeAll({{batch.jobs.begin() + middle, batch.jobs.end()}, {batch.waiters.begin() + middle, batch.waiters.end()}});
    return;
  }
  const double share = secondsSince(start) / static_cast<double>(batch.jobs.size());
  for (size_t i = 0; i < batch.jobs.size(); i++) batch.waiters[i].give(std::move(decoded[i]), share);
}

// Takes requests from the front until `full`; those that do not join this batch stay in their order.
template <class Session, class Request, class Full, class Joins, class Collect>
void collect(std::deque<Request>& waiting, Full full, Joins joinsBatch, Collect take) {
  std::deque<Request> others;
  while (!waiting.empty() && !full()) {
    Request request = std::move(waiting.front());
    waiting.pop_front();
    const Found<Session> found(request.session);
    if (found.session && !joinsBatch(found.session)) {
      others.push_back(std::move(request));
    } else if (request.waiter.begin()) {
      take(std::move(request), found);
    }
  }
  waiting.insert(waiting.begin(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
}

}  // namespace

void runSteps(std::deque<StepRequest>& waiting, int mostFrames, BatchCounts& counts) {
  std::vector<Step> batch;
  std::vector<Candidate> wave;
  const auto frames = [&] {
    return std::accumulate(batch.begin(), batch.end(), 0, [](int sum, const Step& step) { return sum + step.frames; });
  };
  const auto weights = [](const EncoderSession& one) -> const Encoder& { return one.encoder(); };
  const auto joinsBoth = [&](const EncoderSession* session) {
    const auto isIt = [&](const Candidate& one) { return one.found.session == session; };
    const bool sameWeights =
        wave.empty() || !wave[0].found.session || &weights(*wave[0].found.session) == &weights(*session);
    return joins(batch, session, weights) && sameWeights && std::none_of(wave.begin(), wave.end(), isIt);
  };
  // In waves of as many as there are cores, as far as there is room: what a step needs is known once it is planned.
  while (!waiting.empty() && (batch.empty() || frames() < mostFrames)) {
    const int room = batch.empty() ? 1 : (mostFrames - frames()) / std::max(1, batch.back().frames);
    const auto most = static_cast<size_t>(std::clamp(room, 1, ops::poolThreads()));
    const size_t before = waiting.size();
    collect<EncoderSession>(
        waiting, [&] { return wave.size() >= most; }, joinsBoth,
        [&](StepRequest request, const Found<EncoderSession>& found) {
          wave.push_back({std::move(request), found, {}, {}});
        });
    planAll(wave);
    for (Candidate& one : wave) collectStep(std::move(one), batch);
    wave.clear();
    if (waiting.size() == before) break;  // the others join another batch
  }
  if (batch.empty()) return;
  counts.batches++;
  counts.steps += static_cast<int64_t>(batch.size());
  counts.frames += frames();
  encodeAll(std::move(batch));
}

void runDecodes(std::deque<DecodeRequest>& waiting, int most) {
  Decodes batch;
  collect<DecoderSession>(
      waiting, [&] { return static_cast<int>(batch.jobs.size()) >= most; },
      [&](const DecoderSession* session) {
        return joins(batch.jobs, session, [](const DecoderSession& one) -> const Decoder& { return one.decoder(); });
      },
      [&](DecodeRequest request, const Found<DecoderSession>& found) {
        collectDecode(std::move(request), found, batch);
      });
  if (!batch.jobs.empty()) decodeAll(batch);
}

}  // namespace parakeet
