#include "engine/recordings.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "engine/device_failure.h"
#include "error.h"
#include "ops/pool.h"

namespace parakeet {
namespace {

using Clock = std::chrono::steady_clock;

struct Hearing {
  RecordingRequest request;
  const Model* model;
  Heard heard;
  std::exception_ptr failure;  // of listening
};

// The front end of all requests: several at a time where there are several, else one on all cores.
void listenToAll(std::vector<Hearing>& batch) {
  ops::parallelFor(static_cast<int>(batch.size()), 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      Hearing& one = batch[i];
      try {
        one.request.waiter.cancel->check();
        one.heard = one.request.listen(*one.model, *one.request.waiter.cancel);
        one.heard.boost = one.request.decoding.boost;
        one.request.listen = nullptr;  // the samples are freed
      } catch (...) {
        one.failure = std::current_exception();
      }
    }
  });
}

// Cancelled as soon as one request of the batch is.
class SharedFlag {
 public:
  explicit SharedFlag(const std::vector<Hearing*>& batch) : batch_(batch) {
    for (const Hearing* one : batch_) one->request.waiter.cancel->share(&flag);
  }
  ~SharedFlag() {
    for (const Hearing* one : batch_) one->request.waiter.cancel->share(nullptr);
  }
  SharedFlag(const SharedFlag&) = delete;
  SharedFlag& operator=(const SharedFlag&) = delete;

  CancelFlag flag;

 private:
  const std::vector<Hearing*>& batch_;
};

void hear(std::vector<Hearing*> batch, BatchCounts& counts) {
  for (;;) {
    std::erase_if(batch, [](const Hearing* one) {
      if (!one->request.waiter.cancel->cancelled()) return false;
      one->request.waiter.fail(std::make_exception_ptr(Aborted()));
      return true;
    });
    if (batch.empty()) return;
    const RecordingRequest& first = batch[0]->request;
    std::vector<const Heard*> signals;
    int frames = 0;
    for (const Hearing* one : batch) {
      signals.push_back(&one->heard);
      frames += one->request.frames;
    }
    const auto start = Clock::now();
    std::vector<Tokens> tokens;
    try {
      const SharedFlag shared(batch);
      tokens = batch[0]->model->recognize(signals, first.context, first.decoding, shared.flag);
    } catch (const Aborted&) {
      continue;
    } catch (...) {
      afterFailure();
      if (batch.size() == 1) return batch[0]->request.waiter.fail(typed(std::current_exception()));
      // A smaller batch needs less memory, and in the end only what cannot be heard by itself fails.
      const auto middle = batch.begin() + static_cast<ptrdiff_t>(batch.size() / 2);
      hear({batch.begin(), middle}, counts);
      hear({middle, batch.end()}, counts);
      return;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    counts.recordingBatches++;
    counts.recordings += static_cast<int64_t>(batch.size());
    for (size_t i = 0; i < batch.size(); i++) {
      const RecordingRequest& request = batch[i]->request;
      request.waiter.give(std::move(tokens[i]), seconds * request.frames / std::max(1, frames));
    }
    return;
  }
}

}  // namespace

void runRecordings(std::deque<RecordingRequest>& waiting, int mostFrames, BatchCounts& counts) {
  std::vector<Hearing> batch;
  std::deque<RecordingRequest> others;
  int frames = 0;
  while (!waiting.empty()) {
    RecordingRequest request = std::move(waiting.front());
    waiting.pop_front();
    const Model* model = nullptr;
    std::exception_ptr failure;
    try {
      model = &request.model();
    } catch (...) {
      failure = std::current_exception();
    }
    const bool fits = batch.empty() || !model ||
                      (model == batch[0].model && request.context == batch[0].request.context &&
                       request.decoding.inOneWay(batch[0].request.decoding) && frames + request.frames <= mostFrames);
    if (!fits) {
      others.push_back(std::move(request));
      continue;
    }
    if (!request.waiter.begin()) continue;
    if (failure) {
      request.waiter.fail(failure);
      continue;
    }
    frames += request.frames;
    batch.push_back({std::move(request), model, {}, nullptr});
  }
  waiting = std::move(others);
  listenToAll(batch);
  std::vector<Hearing*> all;
  for (Hearing& one : batch) {
    if (one.failure)
      one.request.waiter.fail(one.failure);
    else
      all.push_back(&one);
  }
  hear(std::move(all), counts);
}

}  // namespace parakeet
