#include "engine/recordings.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "error.h"

namespace parakeet {
namespace {

using Clock = std::chrono::steady_clock;

struct Hearing {
  RecordingRequest request;
  const Model* model;
  Heard heard;
};

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
      if (batch.size() == 1) return batch[0]->request.waiter.fail(std::current_exception());
      for (Hearing* one : batch) hear({one}, counts);
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
    try {
      request.waiter.cancel->check();
      if (failure) std::rethrow_exception(failure);
      const int own = request.frames;
      Heard heard = request.listen(*model, *request.waiter.cancel);
      heard.boost = request.decoding.boost;
      request.listen = nullptr;  // the samples are freed
      batch.push_back({std::move(request), model, std::move(heard)});
      frames += own;
    } catch (...) {
      request.waiter.fail(std::current_exception());
    }
  }
  waiting = std::move(others);
  std::vector<Hearing*> all;
  for (Hearing& one : batch) all.push_back(&one);
  hear(std::move(all), counts);
}

}  // namespace parakeet
