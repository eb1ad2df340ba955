#include "engine/decoder_session.h"

#include <algorithm>
#include <utility>

namespace parakeet {

namespace {

// The decoder's frames of each job: those of all are prepared at once.
std::vector<DecoderFrames> prepareAll(const std::vector<DecoderSession::Job>& jobs) {
  std::vector<FrameRows> encoded;
  for (const DecoderSession::Job& job : jobs) encoded.push_back(job.step.encoded);
  std::vector<DecoderFrames> frames;
  for (FrameRows& rows : jobs[0].session->decoder().prepare(encoded))
    frames.push_back({std::move(rows), jobs[frames.size()].step.firstRow});
  return frames;
}

}  // namespace

std::vector<Decoded> DecoderSession::decode(const std::vector<Job>& jobs) {
  const std::vector<DecoderFrames> frames = prepareAll(jobs);
  std::vector<Decoded> decoded(jobs.size());
  std::vector<DecoderJob> finals, drafts;
  // Copies, so that a failure halfway leaves every session unchanged: each job can then be tried by itself.
  std::vector<std::unique_ptr<DecoderState>> states, copies;
  for (size_t i = 0; i < jobs.size(); i++) {
    const EncodedStep& step = jobs[i].step;
    states.push_back(jobs[i].session->state_->clone());
    finals.push_back({states[i].get(), &frames[i], step.decodedEnd, step.lastTokenStart, &decoded[i].final});
  }
  jobs[0].session->decoder_->decode(finals);
  for (size_t i = 0; i < jobs.size(); i++) {
    const EncodedStep& step = jobs[i].step;
    DecoderState& state = *states[i];
    if (step.last || step.cut) {
      state.finish(decoded[i].final);
      if (!step.cut) continue;
      state.cutAt(step.finalEnd);
      // What came in the silence of the flush was said before it.
      for (Token& token : decoded[i].final)
        token.start = std::min(token.start, std::max(step.firstFrame, step.finalEnd - 1));
    } else if (jobs[i].draft) {
      copies.push_back(state.clone());
      drafts.push_back({copies.back().get(), &frames[i], step.seenEnd, step.seenEnd, &decoded[i].draft});
    }
  }
  jobs[0].session->decoder_->decode(drafts);
  for (const DecoderJob& draft : drafts) draft.state->finish(*draft.tokens);
  for (size_t i = 0; i < jobs.size(); i++) jobs[i].session->state_ = std::move(states[i]);
  return decoded;
}

Tokens DecoderSession::hearAgain(const EncoderSession& encoder, int64_t from, int64_t until,
                                 const CancelFlag& cancel) const {
  const int factor = encoder.encoder().config().subsamplingFactor;
  int64_t first = 0;
  encoder.recall(from * factor, until * factor, first);
  // Whole frames: the buffer may begin in the middle of one.
  const int64_t begin = (first + factor - 1) / factor;
  const Matrix features = encoder.recall(begin * factor, until * factor, first);
  if (features.rows < factor) return {};
  const FrameRows encoded = encoder.encoder().encode(features, encoder.recallContext(), cancel);
  const DecoderFrames frames{decoder_->prepare({encoded})[0], begin};
  const auto state = decoder_->start();
  state->boosting.set(state_->boosting.tree());
  Tokens tokens;
  decoder_->decode({{state.get(), &frames, frames.end(), noLimit, &tokens}});
  state->finish(tokens);
  return tokens;
}

}  // namespace parakeet
