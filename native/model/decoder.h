// Decoding of encoder frames as they become final: one interface, one implementation for each loss. A decoder's state
// is a value that can be copied, so that a draft is decoded from a copy.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "model/beam.h"
#include "model/boost.h"
#include "model/confidence.h"
#include "model/config.h"
#include "model/frame_rows.h"
#include "model/fusion.h"
#include "model/tokens.h"

namespace parakeet {

class ArchiveReader;
class ArchiveWriter;

// Frames prepared for decoding: what can be computed for all of them at once. Row i belongs to frame `firstFrame + i`.
struct DecoderFrames {
  FrameRows rows;  // evaluated, or about to be on the device that decodes them
  int64_t firstFrame = 0;

  int64_t end() const { return firstFrame + rows.count; }
  // The values of a frame, in plain memory.
  const float* frame(int64_t index) const {
    return rows.matrix.data<float>() + (rows.first + index - firstFrame) * rows.columns();
  }
};

constexpr int64_t noLimit = std::numeric_limits<int64_t>::max();

// A decoder's state of one stream. Each decoder derives its own from it.
class DecoderState {
 public:
  virtual ~DecoderState() = default;
  virtual std::unique_ptr<DecoderState> clone() const = 0;
  // The signal is over: appends what was still open.
  virtual void finish(Tokens& tokens) = 0;
  // Ends the decoded part before `frame`, even if its last token reaches further: the next signal begins there.
  virtual void cutAt(int64_t frame) = 0;
  // For snapshots.
  virtual void save(ArchiveWriter& archive) = 0;
  virtual void load(ArchiveReader& archive) = 0;

  Boosting boosting;
  LmState lm;
};

// Frames of one stream that are to be decoded.
struct DecoderJob {
  DecoderState* state;
  const DecoderFrames* frames;
  int64_t until;      // decodes the frames before it
  int64_t lastStart;  // makes no token that would begin after this frame
  Tokens* tokens;     // appended to
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // What can be computed for all frames at once: rows of the same numbers, to become those of DecoderFrames. On the
  // engine's thread.
  std::vector<FrameRows> prepare(const std::vector<FrameRows>& encoded) const;
  std::unique_ptr<DecoderState> start() const {
    auto state = newState();
    state->lm = LmState(fusion_.get());
    return state;
  }
  // Decodes with language models from now on; before any state is made.
  void fuse(std::shared_ptr<const Fusion> fusion) { fusion_ = std::move(fusion); }
  // How the confidence of its tokens is measured; before anything is decoded.
  void measureBy(Measure measure) { measure_ = measure; }
  // Decodes several streams in lockstep, so that weights are read once for all of them; each result is the same as
  // alone. A token that begins earlier and reaches past `until` continues in the next call.
  virtual void decode(const std::vector<DecoderJob>& jobs) const = 0;
  // Frames that are decoded at once, at most: between them, a recording can be cancelled.
  virtual int piece() const { return 256; }

  // Whether the device decodes, so that nobody need wait for the prepared frames.
  virtual bool onDevice() const { return false; }

  // Encoder frames [rows, dModel] to what the decoder reads of them.
  virtual mlx::core::array project(const mlx::core::array& encoded) const = 0;

 protected:
  virtual std::unique_ptr<DecoderState> newState() const = 0;
  const Fusion* fusion() const { return fusion_.get(); }
  Measure measure() const { return measure_; }

 private:
  Measure measure_ = Measure::entropy;
  std::shared_ptr<const Fusion> fusion_;
};

class Transducer;
class DeviceGreedy;

// `device`: decodes what has no boosted phrases; null for a CPU.
// Token-and-duration transducer, greedy (Xu et al. 2023; NeMo's GreedyTDTInfer): token and duration are the argmaxes of
// one joint output; the frame pointer moves by the duration, a blank of duration 0 moves it by one; at most
// `maxSymbols` tokens at one frame.
std::unique_ptr<Decoder> makeTdtDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                        std::shared_ptr<const DeviceGreedy> device);
// Transducer, greedy (Graves 2012; NeMo's GreedyRNNTInfer): a blank moves to the next frame; a token lasts one frame.
std::unique_ptr<Decoder> makeRnntDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                         std::shared_ptr<const DeviceGreedy> device);
// Beam searches; see their files.
std::unique_ptr<Decoder> makeParakeetMlxBeamDecoder(std::shared_ptr<const Transducer> transducer,
                                                    const ModelConfig& config, const Beam& beam);
std::unique_ptr<Decoder> makeTdtFrameBeamDecoder(std::shared_ptr<const Transducer> transducer,
                                                 const ModelConfig& config, const Beam& beam);
std::unique_ptr<Decoder> makeRnntBeamDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                             const Beam& beam);

class CtcHead;

// Connectionist temporal classification (Graves et al. 2006), greedy and by prefix beam search.
std::unique_ptr<Decoder> makeCtcDecoder(std::shared_ptr<const CtcHead> head);
std::unique_ptr<Decoder> makeCtcBeamDecoder(std::shared_ptr<const CtcHead> head, const Beam& beam);

}  // namespace parakeet
