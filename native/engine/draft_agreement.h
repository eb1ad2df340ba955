// Which tokens of a draft may become final before their lookahead is there: those that several drafts in a row agree on
// (local agreement: Liu et al. 2020, with frames besides words). Only what is remembered of one stream for that; making
// tokens final is the decoder session's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/encoder_session.h"
#include "model/archive.h"
#include "model/tokens.h"

namespace parakeet {

class DraftAgreement {
 public:
  // Takes the draft of the next step, which decodes what comes after `frontier()`. Returns the frame before which
  // everything may become final now; at least frontier().
  int64_t add(const Tokens& draft, const EncodedStep& step);
  // Frames before it are final in any case: those of the grid, and what was agreed on.
  int64_t frontier(const EncodedStep& step) const;
  // The next draft is of a new signal.
  void restart() { *this = {}; }

  template <class Archive>
  void archive(Archive& archive) {
    archive(recent_, agreed_);
  }

 private:
  std::vector<Tokens> recent_;  // drafts, the oldest first
  int64_t agreed_ = 0;          // frames before it were agreed on
};

}  // namespace parakeet
