#include "engine/draft_agreement.h"

#include <algorithm>
#include <cstdlib>

#include "model/mutant.h"

namespace parakeet {
namespace {

// How far a token may move between drafts that agree on it, in frames.
constexpr int64_t tolerance = 1;

// The tokens that begin at `frame` or later.
Tokens from(const Tokens& tokens, int64_t frame) {
  const auto first =
      std::find_if(tokens.begin(), tokens.end(), [frame](const Token& token) { return token.start >= frame; });
  return {first, tokens.end()};
}

bool agrees(const Token& one, const Token& other) {
  return one.id == other.id && std::abs(one.start - other.start) <= tolerance;
}

bool sure(const Token& token, const Agreement& rule) { return token.confidence >= rule.confidence; }

}  // namespace

int64_t DraftAgreement::frontier(const EncodedStep& step) const { return std::max(step.finalEnd, agreed_); }

int64_t DraftAgreement::add(const Tokens& draft, const EncodedStep& step) {
  const int64_t final = frontier(step);
  const Tokens newest = from(draft, final);
  for (Tokens& one : recent_) one = from(one, final);
  const Agreement& rule = step.agreement;
  const auto others = static_cast<size_t>(rule.drafts - 1);
  if (recent_.size() > others) recent_.erase(recent_.begin(), recent_.end() - static_cast<ptrdiff_t>(others));
  size_t agreed = 0;
  const auto settled = [&](size_t i) {
    if (newest[i].start + 1 + rule.lookahead > step.seenEnd || !sure(newest[i], rule)) return false;
    if (mutant("agreement-skipped")) return true;
    return recent_.size() == others && std::all_of(recent_.begin(), recent_.end(), [&](const Tokens& other) {
             return i < other.size() && agrees(newest[i], other[i]) && sure(other[i], rule);
           });
  };
  while (agreed < newest.size() && settled(agreed)) agreed++;
  // Tokens of one frame become final together.
  while (agreed > 0 && agreed < newest.size() && newest[agreed].start == newest[agreed - 1].start) agreed--;
  if (agreed > 0) agreed_ = newest[agreed - 1].start + 1;
  recent_.push_back(newest);
  return frontier(step);
}

}  // namespace parakeet
