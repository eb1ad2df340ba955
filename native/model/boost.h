// Phrases that are more likely here than the model assumes: names, terms. A tree of their spellings, built by the
// caller (src/model/boost.ts), whose edges are tokens. A hypothesis that has begun a phrase gets a bonus for each token
// that continues it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace parakeet {

struct BoostTree {
  struct Edge {
    int token;
    int next;
    float bonus;  // natural logarithm of the gain in probability
  };
  std::vector<int> first;      // the first edge of each node, and one entry more at the end; node 0 is the root
  std::vector<Edge> edges;     // sorted by token within a node
  std::vector<uint8_t> whole;  // whether a phrase ends at the node
};

// The place of one hypothesis in the tree of phrases.
class Boosting {
 public:
  // Replaces or removes the phrases. Phrases that were begun are dropped.
  void set(std::shared_ptr<const BoostTree> tree);
  bool active() const { return tree_ != nullptr; }
  const std::shared_ptr<const BoostTree>& tree() const { return tree_; }

  // Calls `visit(token, bonus)` for each token that continues or begins a phrase; for some tokens more than once.
  template <class Visit>
  void forEachBonus(Visit visit) const {
    if (!tree_) return;
    const auto edgesOf = [&](int node) {
      for (int i = tree_->first[node]; i < tree_->first[node + 1]; i++)
        visit(tree_->edges[i].token, tree_->edges[i].bonus);
    };
    for (const Reached& one : reached_) edgesOf(one.node);
    edgesOf(0);
  }
  // The best token with phrases taken into account, given `token`, the best by its logit; `except` gets no bonus (-1:
  // no such token).
  int choose(const float* logits, int token, int except = -1) const;
  // By how much the token changes the hypothesis' score: its bonus, minus that of a phrase left unfinished.
  float gain(int token) const;
  void advance(int token);

  template <class Archive>
  void archive(Archive& archive) {
    // A snapshot contains its phrases; a place that is not in the tree would be read past its end.
    archive(reached_);
    if constexpr (!Archive::writing) {
      if (!tree_ || !valid()) reached_.clear();
    }
  }

 private:
  struct Reached {
    int node;
    float pending;  // bonus so far, kept only if the phrase is completed
  };
  struct Move {
    std::vector<Reached> reached;
    float change;
  };
  Move move(int token) const;
  float pending() const;
  bool valid() const;

  std::shared_ptr<const BoostTree> tree_;
  std::vector<Reached> reached_;
};

}  // namespace parakeet
