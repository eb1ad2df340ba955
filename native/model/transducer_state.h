// What a transducer's decoders keep of one stream, greedy or with a beam: where they are, and the predictor.
#pragma once

#include <algorithm>
#include <memory>

#include "model/archive.h"
#include "model/decoder.h"
#include "model/transducer.h"

namespace parakeet {

struct TransducerRules {
  int vocabulary = 0;
  std::vector<int> durations;  // empty: RNNT
  int maxSymbols = 10;

  // Frames that a token lasts; `place` is that of its duration. A transducer without durations does not predict it: one
  // frame, as in the reference.
  int lasts(int place) const { return durations.empty() ? 1 : durations[place]; }
  // Moves a stream on by a token (or the blank) at its pointer, and returns by how many frames.
  int64_t move(int token, int place, int64_t& pointer, int& symbols) const {
    const bool blank = token == vocabulary;
    int64_t step = durations.empty() ? (blank ? 1 : 0) : durations[place];
    if (!blank) symbols++;
    if (blank || symbols >= maxSymbols) step = std::max<int64_t>(1, step);
    if (step > 0) symbols = 0;
    pointer += step;
    return step;
  }
};

class TransducerState : public DecoderState {
 public:
  explicit TransducerState(PredictorState predictor) : predictor(std::move(predictor)) {}
  std::unique_ptr<DecoderState> clone() const override { return std::make_unique<TransducerState>(*this); }
  void finish(Tokens&) override {}
  void cutAt(int64_t frame) override {
    pointer = std::min(pointer, frame);
    symbols = 0;
  }
  void save(ArchiveWriter& archive) override { archive(predictor, pointer, symbols, boosting, lm); }
  void load(ArchiveReader& archive) override {
    const size_t hidden = predictor.hidden.size(), projection = predictor.projection.size();
    archive(predictor, pointer, symbols, boosting, lm);
    ArchiveReader::require(predictor.hidden.size() == hidden && predictor.cell.size() == hidden &&
                           predictor.projection.size() == projection);
  }

  PredictorState predictor;
  int64_t pointer = 0;
  int symbols = 0;  // tokens at the pointer's frame
};

}  // namespace parakeet
