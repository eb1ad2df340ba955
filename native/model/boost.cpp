#include "model/boost.h"

#include <algorithm>

#include "model/mutant.h"

namespace parakeet {

void Boosting::set(std::shared_ptr<const BoostTree> tree) {
  tree_ = std::move(tree);
  reached_.clear();
}

float Boosting::pending() const {
  float most = 0;
  for (const Reached& one : reached_) most = std::max(most, one.pending);
  return most;
}

bool Boosting::valid() const {
  return std::all_of(reached_.begin(), reached_.end(), [this](const Reached& one) {
    return one.node > 0 && one.node < static_cast<int>(tree_->whole.size());
  });
}

Boosting::Move Boosting::move(int token) const {
  Move result{{}, -pending()};
  float completed = 0, open = 0;
  const auto follow = [&](int node, float pending) {
    const auto begin = tree_->edges.begin() + tree_->first[node], end = tree_->edges.begin() + tree_->first[node + 1];
    auto edge =
        std::lower_bound(begin, end, token, [](const BoostTree::Edge& one, int wanted) { return one.token < wanted; });
    for (; edge != end && edge->token == token; ++edge) {
      const bool more = tree_->first[edge->next] < tree_->first[edge->next + 1];
      float own = pending + edge->bonus;
      if (tree_->whole[edge->next]) {
        completed = std::max(completed, own);
        own = 0;
      }
      if (!more) continue;
      result.reached.push_back({edge->next, own});
      open = std::max(open, own);
    }
  };
  for (const Reached& one : reached_) follow(one.node, one.pending);
  follow(0, 0);
  result.change += completed + open;
  return result;
}

int Boosting::choose(const float* logits, int token, int except) const {
  float most = logits[token];
  forEachBonus([&](int other, float bonus) {
    if (other == except || logits[other] + bonus <= most) return;
    most = logits[other] + bonus;
    token = other;
  });
  return token;
}

float Boosting::gain(int token) const { return tree_ ? move(token).change : 0.0f; }

void Boosting::advance(int token) {
  if (tree_ && !mutant("boost-stuck")) reached_ = move(token).reached;
}

}  // namespace parakeet
