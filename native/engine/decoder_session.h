// One stream's decoder: its state, and its boosted phrases. Used on the engine's thread only.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/counted.h"
#include "engine/draft_agreement.h"
#include "engine/encoder_session.h"
#include "model/archive.h"
#include "model/cancel.h"
#include "model/decoder.h"

namespace parakeet {

struct Decoded {
  Tokens final, draft;
};

class DecoderSession : Counted<SessionTag> {
 public:
  DecoderSession(std::shared_ptr<const Decoder> decoder, std::shared_ptr<const BoostTree> boost)
      : decoder_(std::move(decoder)), state_(decoder_->start()) {
    setBoost(std::move(boost));
  }
  // Replaces the boosted phrases from the next step on; null for none.
  void setBoost(std::shared_ptr<const BoostTree> boost) { state_->boosting.set(std::move(boost)); }
  const Decoder& decoder() const { return *decoder_; }

  struct Job {
    DecoderSession* session;
    EncodedStep step;
    bool draft;
  };
  // For each job, decodes the frames that its step made final, and the draft from a copy of the state; what the last
  // drafts agree on is final too, if the step asks for that. All jobs have the same decoder and different sessions. If
  // it throws, all sessions are unchanged.
  static std::vector<Decoded> decode(const std::vector<Job>& jobs);

  // Decodes the frames [from, until) of a stream again with full context on both sides, as far as they are buffered.
  // Does not change the state.
  Tokens hearAgain(const EncoderSession& encoder, int64_t from, int64_t until, const CancelFlag& cancel) const;

  void save(ArchiveWriter& archive) {
    state_->save(archive);
    archive(agreement_);
  }
  void load(ArchiveReader& archive) {
    state_->load(archive);
    archive(agreement_);
  }

 private:
  // Moves the states on past what the drafts agree on: from the draft's tokens to the final ones.
  static void commitAgreed(const std::vector<Job>& jobs, const std::vector<DecoderFrames>& frames,
                           const std::vector<std::unique_ptr<DecoderState>>& states,
                           std::vector<DraftAgreement>& agreements, std::vector<Decoded>& decoded);

  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<DecoderState> state_;
  DraftAgreement agreement_;
};

}  // namespace parakeet
