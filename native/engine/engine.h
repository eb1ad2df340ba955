// The one engine of a process: the thread that owns MLX, and one for the log-mel front end. Never destroyed: by exit
// the environments have waited for running work (binding/environment.h), and both threads are idle.
#pragma once

#include <atomic>

#include "engine/batches.h"
#include "engine/recordings.h"
#include "engine/worker.h"

namespace parakeet {

class Engine {
 public:
  // Bytes. MLX caches freed buffers by size, without a limit of its own; a live stream has few shapes, so a small cache
  // is enough.
  static constexpr size_t cacheLimit = size_t{64} << 20;

  // Enough rows for products to run at full speed; more would only add latency.
  static constexpr int defaultBatchFrames = 256;

  static Engine& instance();

  // Everything that touches MLX.
  Worker& inference() { return inference_; }
  // Log-mel: plain arithmetic that must not wait behind a long step.
  Worker& frontEnd() { return frontEnd_; }
  // Requests of live streams. On the inference thread.
  Batcher<StepRequest>& steps() { return steps_; }
  Batcher<DecodeRequest>& decodes() { return decodes_; }
  // Requests of whole recordings.
  Batcher<RecordingRequest>& recordings() { return recordings_; }
  const BatchCounts& batchCounts() const { return counts_; }
  // Encoder frames up to which steps of several streams, or several recordings, run together; 1 for none.
  void setBatchFrames(int frames) { batchFrames_ = frames; }
  size_t queued() const { return inference_.queued() + frontEnd_.queued(); }

 private:
  Engine();
  Worker inference_;
  Worker frontEnd_;
  std::atomic<int> batchFrames_{defaultBatchFrames};
  BatchCounts counts_;
  Batcher<StepRequest> steps_;
  Batcher<DecodeRequest> decodes_;
  Batcher<RecordingRequest> recordings_;
};

}  // namespace parakeet
