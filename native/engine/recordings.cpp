#include "engine/recordings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/clock.h"
#include "engine/device_failure.h"
#include "error.h"
#include "ops/pool.h"

namespace parakeet {
namespace {

using Batch = std::vector<RecordingRequest*>;

// Frames that are encoded at once.
constexpr int mostEncoded = 12288;

// Cancelled as soon as one request of the batch is.
class SharedFlag {
 public:
  explicit SharedFlag(const Batch& batch) : batch_(batch) {
    for (const RecordingRequest* one : batch_) one->waiter.cancel->share(&flag);
  }
  ~SharedFlag() {
    for (const RecordingRequest* one : batch_) one->waiter.cancel->share(nullptr);
  }
  SharedFlag(const SharedFlag&) = delete;
  SharedFlag& operator=(const SharedFlag&) = delete;

  CancelFlag flag;

 private:
  const Batch& batch_;
};

void settle(const Batch& batch, std::vector<Tokens> tokens, double seconds, BatchCounts& counts) {
  int frames = 0;
  for (const RecordingRequest* one : batch) frames += one->frames;
  counts.recordingBatches++;
  counts.recordings += static_cast<int64_t>(batch.size());
  for (size_t i = 0; i < batch.size(); i++) {
    const RecordingRequest& request = *batch[i];
    request.waiter.give(std::move(tokens[i]), seconds * request.frames / std::max(1, frames));
  }
}

std::vector<const Heard*> signalsOf(const Batch& batch) {
  std::vector<const Heard*> signals;
  for (const RecordingRequest* one : batch) signals.push_back(&one->heard);
  return signals;
}

void hear(Batch batch, BatchCounts& counts);

// After a batch has failed: what was cancelled leaves it, otherwise it is halved. A smaller batch needs less memory,
// and in the end only what cannot be heard by itself fails.
void hearAgain(const Batch& batch, const std::exception_ptr& failure, BatchCounts& counts) {
  try {
    std::rethrow_exception(failure);
  } catch (const Aborted&) {
    return hear(batch, counts);
  } catch (...) {
    afterFailure();
  }
  if (batch.size() == 1) return batch[0]->waiter.fail(typed(failure));
  const auto middle = batch.begin() + static_cast<ptrdiff_t>(batch.size() / 2);
  hear({batch.begin(), middle}, counts);
  hear({middle, batch.end()}, counts);
}

// Of signals that have been listened to: encodes some at a time, and decodes all together.
void hear(Batch batch, BatchCounts& counts) {
  std::erase_if(batch, [](const RecordingRequest* one) {
    if (!one->waiter.cancel->cancelled()) return false;
    one->waiter.fail(std::make_exception_ptr(Aborted()));
    return true;
  });
  if (batch.empty()) return;
  const RecordingRequest& first = *batch[0];
  const auto start = Clock::now();
  std::vector<Tokens> tokens;
  try {
    const SharedFlag shared(batch);
    const Model& model = first.model();
    std::vector<Model::Encoded> encoded;
    for (auto from = batch.begin(); from != batch.end();) {
      auto until = from;
      for (int frames = 0; until != batch.end() && frames < mostEncoded; until++) frames += (*until)->frames;
      for (Model::Encoded& one : model.encode(signalsOf({from, until}), first.context, shared.flag))
        encoded.push_back(std::move(one));
      from = until;
    }
    tokens = model.decode(encoded, first.decoding, shared.flag);
  } catch (...) {
    return hearAgain(batch, std::current_exception(), counts);
  }
  settle(batch, std::move(tokens), secondsSince(start), counts);
}

}  // namespace

void listenTo(std::span<RecordingRequest> requests) {
  ops::parallelFor(static_cast<int>(requests.size()), 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      RecordingRequest& one = requests[i];
      if (!one.listen) continue;
      try {
        one.waiter.cancel->check();
        one.heard = one.listen(*one.waiter.cancel);
        one.heard.boost = one.decoding.boost;
      } catch (...) {
        one.failure = std::current_exception();
      }
      one.listen = nullptr;  // the samples are freed
    }
  });
}

void runRecordings(std::deque<RecordingRequest>& waiting, int mostFrames, BatchCounts& counts) {
  std::vector<RecordingRequest> requests;
  const Model* shared = nullptr;
  std::deque<RecordingRequest> others;
  int frames = 0;
  while (!waiting.empty()) {
    RecordingRequest request = std::move(waiting.front());
    waiting.pop_front();
    const Model* model = nullptr;
    try {
      model = &request.model();
    } catch (...) {
      request.failure = std::current_exception();
    }
    const bool fits = requests.empty() || !model ||
                      (model == shared && request.context == requests[0].context &&
                       request.decoding.inOneWay(requests[0].decoding) && frames + request.frames <= mostFrames);
    if (!fits) {
      others.push_back(std::move(request));
      continue;
    }
    if (!request.waiter.begin()) continue;
    if (!model) {
      request.waiter.fail(request.failure);
      continue;
    }
    shared = model;
    frames += request.frames;
    requests.push_back(std::move(request));
  }
  waiting = std::move(others);
  listenTo(requests);
  Batch batch;
  for (RecordingRequest& one : requests) {
    if (one.failure)
      one.waiter.fail(one.failure);
    else
      batch.push_back(&one);
  }
  hear(std::move(batch), counts);
}

}  // namespace parakeet
