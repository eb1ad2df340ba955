// Phrases that are likelier here than the model can know: names, terms. A tree of their spellings, built by the caller
// (src/model/boost.ts), whose edges are tokens; who has begun a phrase gets a bonus for each token that goes on with
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace parakeet {

struct BoostTree {
  struct Edge {
    int token;
    int next;
    float bonus;  // natural logarithm of how much likelier
  };
  std::vector<int> first;      // of each node: its first edge; one more at the end. Node 0 is the beginning.
  std::vector<Edge> edges;     // those of a node in order of their tokens
  std::vector<uint8_t> whole;  // of each node: whether a phrase ends there
};

// How far one hypothesis is in the phrases.
class Boosting {
 public:
  // Other phrases from now on, or none. What was begun is forgotten.
  void set(std::shared_ptr<const BoostTree> tree);
  bool active() const { return tree_ != nullptr; }
  const std::shared_ptr<const BoostTree>& tree() const { return tree_; }

  // Calls `visit(token, bonus)` for the tokens that go on with a phrase or begin one; for some more than once.
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
  // What the phrases make of `token`, the likeliest of the logits; `except` gets no bonus (-1: none such).
  int choose(const float* logits, int token, int except = -1) const;
  // By how much the hypothesis' score changes with the token: its bonus, less what an unfinished phrase had got.
  float gain(int token) const;
  void advance(int token);

  template <class Archive>
  void archive(Archive& archive) {
    // A snapshot brings its phrases along; places that they do not have would be read past the tree's end.
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
