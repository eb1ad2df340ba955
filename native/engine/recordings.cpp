#include "engine/recordings.h"

#include <algorithm>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include "engine/clock.h"
#include "engine/device_failure.h"
#include "error.h"
#include "ops/device.h"
#include "ops/pool.h"

namespace parakeet {
namespace {

struct Hearing {
  RecordingRequest request;
  const Model* model;
  Heard heard;
  std::exception_ptr failure;  // of listening
};

// The front end of some requests: several at a time where there are several, else one on all cores.
void listenTo(std::span<Hearing> some) {
  ops::parallelFor(static_cast<int>(some.size()), 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      Hearing& one = some[i];
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

// Frames that are listened to at once, on a GPU: it encodes them while the CPU's cores listen to the next ones.
constexpr int aheadFrames = 12288;

// The front end of a batch, group by group, ahead of whoever takes them.
class Listening {
 public:
  explicit Listening(std::vector<Hearing>& batch) {
    size_t first = 0;
    int frames = 0;
    for (size_t i = 0; i < batch.size(); i++) {
      frames += batch[i].request.frames;
      if (i + 1 < batch.size() && (frames < aheadFrames || !ops::onGpu())) continue;
      groups_.push_back(std::span(batch).subspan(first, i + 1 - first));
      first = i + 1;
      frames = 0;
    }
    begin();
  }

  bool over() const { return next_ == groups_.size(); }

  // The next group, listened to. The one after it is begun.
  std::span<Hearing> take() {
    if (working_.valid()) working_.get();
    const std::span<Hearing> group = groups_[next_++];
    begin();
    return group;
  }

 private:
  void begin() {
    if (over()) return;
    if (groups_.size() == 1)
      listenTo(groups_[next_]);
    else
      working_ = std::async(std::launch::async, listenTo, groups_[next_]);
  }

  std::vector<std::span<Hearing>> groups_;
  size_t next_ = 0;
  std::future<void> working_;  // awaited by its destructor
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

// What of them can be heard; the others are told why not.
std::vector<Hearing*> heardOf(std::span<Hearing> group) {
  std::vector<Hearing*> heard;
  for (Hearing& one : group) {
    if (one.failure)
      one.request.waiter.fail(one.failure);
    else
      heard.push_back(&one);
  }
  return heard;
}

void settle(const std::vector<Hearing*>& batch, std::vector<Tokens> tokens, double seconds, BatchCounts& counts) {
  int frames = 0;
  for (const Hearing* one : batch) frames += one->request.frames;
  counts.recordingBatches++;
  counts.recordings += static_cast<int64_t>(batch.size());
  for (size_t i = 0; i < batch.size(); i++) {
    const RecordingRequest& request = batch[i]->request;
    request.waiter.give(std::move(tokens[i]), seconds * request.frames / std::max(1, frames));
  }
}

std::vector<const Heard*> signalsOf(const std::vector<Hearing*>& batch) {
  std::vector<const Heard*> signals;
  for (const Hearing* one : batch) signals.push_back(&one->heard);
  return signals;
}

void hear(std::vector<Hearing*> batch, BatchCounts& counts);

// After a batch has failed: what was cancelled leaves it, otherwise it is halved. A smaller batch needs less memory,
// and in the end only what cannot be heard by itself fails.
void hearAgain(const std::vector<Hearing*>& batch, const std::exception_ptr& failure, BatchCounts& counts) {
  try {
    std::rethrow_exception(failure);
  } catch (const Aborted&) {
    return hear(batch, counts);
  } catch (...) {
    afterFailure();
  }
  if (batch.size() == 1) return batch[0]->request.waiter.fail(typed(failure));
  const auto middle = batch.begin() + static_cast<ptrdiff_t>(batch.size() / 2);
  hear({batch.begin(), middle}, counts);
  hear({middle, batch.end()}, counts);
}

// Of signals that have been listened to.
void hear(std::vector<Hearing*> batch, BatchCounts& counts) {
  std::erase_if(batch, [](const Hearing* one) {
    if (!one->request.waiter.cancel->cancelled()) return false;
    one->request.waiter.fail(std::make_exception_ptr(Aborted()));
    return true;
  });
  if (batch.empty()) return;
  const RecordingRequest& first = batch[0]->request;
  const auto start = Clock::now();
  std::vector<Tokens> tokens;
  try {
    const SharedFlag shared(batch);
    tokens = batch[0]->model->recognize(signalsOf(batch), first.context, first.decoding, shared.flag);
  } catch (...) {
    return hearAgain(batch, std::current_exception(), counts);
  }
  settle(batch, std::move(tokens), secondsSince(start), counts);
}

// Encodes each group while the next one is listened to, and decodes all together.
void hearInGroups(std::vector<Hearing>& requests, BatchCounts& counts) {
  Listening listening(requests);
  std::vector<Hearing*> batch;
  std::vector<Model::Encoded> encoded;
  std::vector<Tokens> tokens;
  std::exception_ptr failure;
  auto start = Clock::now();
  const auto guarded = [&](const std::vector<Hearing*>& some, const auto& work) {
    if (some.empty() || failure) return;
    try {
      const SharedFlag shared(some);
      work(*some[0]->model, some[0]->request, shared.flag);
    } catch (...) {
      failure = std::current_exception();
      encoded.clear();
    }
  };
  while (!listening.over()) {
    const std::vector<Hearing*> group = heardOf(listening.take());
    if (batch.empty()) start = Clock::now();
    batch.insert(batch.end(), group.begin(), group.end());
    guarded(group, [&](const Model& model, const RecordingRequest& request, const CancelFlag& flag) {
      for (Model::Encoded& one : model.encode(signalsOf(group), request.context, flag))
        encoded.push_back(std::move(one));
    });
  }
  guarded(batch, [&](const Model& model, const RecordingRequest& request, const CancelFlag& flag) {
    tokens = model.decode(encoded, request.decoding, flag);
  });
  if (batch.empty()) return;
  if (failure) return hearAgain(batch, failure, counts);
  settle(batch, std::move(tokens), secondsSince(start), counts);
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
  hearInGroups(batch, counts);
}

}  // namespace parakeet
