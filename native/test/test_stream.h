// One live stream with its three sessions, driven as src/live/live-transcript.ts drives them.
#pragma once

#include <memory>
#include <vector>

#include "engine/buffered_encoder.h"
#include "engine/decoder_session.h"
#include "engine/mel_session.h"
#include "test/golden_model.h"

namespace parakeet::test {

// Replacements for parts of a stream, to inject faults.
struct Parts {
  std::unique_ptr<EncoderSession> encoder;
  std::shared_ptr<const Decoder> decoder;
};

// A stream's snapshot: mel, encoder, decoder, and the samples so far.
struct Saved {
  std::vector<std::vector<uint8_t>> states;
  int64_t samples = 0;
};

class TestStream {
 public:
  TestStream(const GoldenModel& golden, const StreamOptions& options, Parts parts = {});
  ~TestStream();  // frees the sessions on their threads
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;

  // Both run all steps that are due. They throw what a step or its decoding throws.
  void push(const float* samples, size_t count);
  void finish();
  // The whole signal without its steps, for callers that run steps together.
  void hear(const std::vector<float>& samples);
  EncoderSession* encoder() { return encoder_.get(); }
  DecoderSession* decoder() { return decoder_.get(); }
  void cancel() { cancel_->cancel(); }

  Saved save();
  void load(const Saved& saved);

  Tokens tokens;         // final
  int settledTwice = 0;  // requests that were

 private:
  void take(const MelFrames& frames);
  void end();
  void steps();

  int64_t samples_ = 0;
  CancelFlagPtr cancel_ = std::make_shared<CancelFlag>();
  std::unique_ptr<MelSession> mel_;
  std::unique_ptr<EncoderSession> encoder_;
  std::unique_ptr<DecoderSession> decoder_;
};

// Options of a live stream of the golden models.
StreamOptions streamOptions(int chunk, int lookahead, int left);

// The tokens of `samples` pushed in pieces of these sizes, over and over.
Tokens streamed(const GoldenModel& golden, const StreamOptions& options, const std::vector<float>& samples,
                const std::vector<size_t>& pieces);

bool same(const Tokens& one, const Tokens& other);

}  // namespace parakeet::test
