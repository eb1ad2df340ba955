// The one engine of a process: the thread that owns MLX, and those of the log-mel front end. Never destroyed: by exit
// the environments have waited for running work (binding/environment.h), and its threads are idle.
#pragma once

#include <array>
#include <atomic>

#include "engine/batches.h"
#include "engine/early_listening.h"
#include "engine/limits.h"
#include "engine/recordings.h"
#include "engine/worker.h"

namespace parakeet {

class Engine {
 public:
  static Engine& instance();

  // Everything that touches MLX.
  Worker& inference() { return inference_; }
  // Log-mel: plain arithmetic that must not wait behind a long step. One thread for each session, which keeps to it; on
  // a GPU, which holds thousands of sessions, it is one of several.
  Worker& frontEnd();
  // Requests of live streams. On the inference thread.
  Batcher<StepRequest>& steps() { return steps_; }
  Batcher<DecodeRequest>& decodes() { return decodes_; }
  // On any thread.
  void hear(RecordingRequest recording);
  const BatchCounts& batchCounts() const { return counts_; }
  // Encoder frames up to which steps of several streams, or several recordings, run together; 1 for none, 0 for what
  // the device can take.
  void setBatchFrames(int frames) { batchFrames_ = frames; }
  // On the inference thread, once the device is decided.
  void useLimitsOfDevice();
  size_t queued() const;

 private:
  Engine();
  // Queues it for the next batch.
  void await(RecordingRequest recording);
  Worker inference_;
  std::array<Worker, 4> frontEnds_;
  std::atomic<unsigned> nextFrontEnd_{0};
  Worker listening_;  // to whole recordings, on a GPU
  int batchFrames() const {
    const int set = batchFrames_;
    return set > 0 ? set : limits_.batchFrames;
  }
  std::atomic<int> batchFrames_{0};
  EngineLimits limits_{};  // on the inference thread
  BatchCounts counts_;
  Batcher<StepRequest> steps_;
  Batcher<DecodeRequest> decodes_;
  Batcher<RecordingRequest> recordings_;
  EarlyListening early_;
};

}  // namespace parakeet
