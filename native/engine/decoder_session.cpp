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

void DecoderSession::commitAgreed(const std::vector<Job>& jobs, const std::vector<DecoderFrames>& frames,
                                  const std::vector<std::unique_ptr<DecoderState>>& states,
                                  std::vector<DraftAgreement>& agreements, std::vector<Decoded>& decoded) {
  std::vector<DecoderJob> early;
  std::vector<Tokens> agreed(jobs.size());
  for (size_t i = 0; i < jobs.size(); i++) {
    const EncodedStep& step = jobs[i].step;
    if (step.agreement.drafts == 0 || step.last || step.cut) continue;
    const int64_t before = agreements[i].frontier(step);
    const int64_t frontier = agreements[i].add(decoded[i].draft, step);
    if (frontier > before) early.push_back({states[i].get(), &frames[i], frontier, step.seenEnd, &agreed[i]});
  }
  if (early.empty()) return;
  jobs[0].session->decoder_->decode(early);
  for (size_t i = 0; i < jobs.size(); i++) {
    auto& [final, draft] = decoded[i];
    final.insert(final.end(), agreed[i].begin(), agreed[i].end());
    // The draft was decoded from the same frames and begins with the same tokens.
    draft.erase(draft.begin(), draft.begin() + static_cast<ptrdiff_t>(std::min(draft.size(), agreed[i].size())));
  }
}

std::vector<Decoded> DecoderSession::decode(const std::vector<Job>& jobs) {
  const std::vector<DecoderFrames> frames = prepareAll(jobs);
  std::vector<Decoded> decoded(jobs.size());
  std::vector<DecoderJob> finals, drafts;
  // Copies, so that a failure halfway leaves every session unchanged: each job can then be tried by itself.
  std::vector<std::unique_ptr<DecoderState>> states, copies;
  std::vector<DraftAgreement> agreements;
  for (size_t i = 0; i < jobs.size(); i++) {
    const EncodedStep& step = jobs[i].step;
    states.push_back(jobs[i].session->state_->clone());
    agreements.push_back(jobs[i].session->agreement_);
    finals.push_back({states[i].get(), &frames[i], step.decodedEnd, step.lastTokenStart, &decoded[i].final});
  }
  jobs[0].session->decoder_->decode(finals);
  for (size_t i = 0; i < jobs.size(); i++) {
    const EncodedStep& step = jobs[i].step;
    DecoderState& state = *states[i];
    if (step.last || step.cut) {
      agreements[i].restart();
      state.finish(decoded[i].final);
      if (!step.cut) continue;
      state.cutAt(step.finalEnd);
      // What came in the silence of the flush was said before it.
      for (Token& token : decoded[i].final)
        token.start = std::min(token.start, std::max(step.firstFrame, step.finalEnd - 1));
    } else if (jobs[i].draft || step.agreement.drafts > 0) {
      copies.push_back(state.clone());
      drafts.push_back({copies.back().get(), &frames[i], step.seenEnd, step.seenEnd, &decoded[i].draft});
    }
  }
  jobs[0].session->decoder_->decode(drafts);
  for (const DecoderJob& draft : drafts) draft.state->finish(*draft.tokens);
  commitAgreed(jobs, frames, states, agreements, decoded);
  for (size_t i = 0; i < jobs.size(); i++) {
    jobs[i].session->state_ = std::move(states[i]);
    jobs[i].session->agreement_ = std::move(agreements[i]);
    if (!jobs[i].draft) decoded[i].draft.clear();
  }
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
