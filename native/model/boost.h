// Phrases that are more or less likely here than the model assumes: names, terms, words never to say. What they add to
// a hypothesis' score is as in parakeet-mlx 0.7.0 (`boost.words`, `boost.first_uppercase`): characters are followed
// through a tree of the phrases, the caller's (src/model/boost.ts). On its way through a phrase a hypothesis has the
// part of its weight that it has earned; it keeps the weight if the phrase is completed, and gives it back if not.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace parakeet {

// Flags of a character, below its number; number 0 is that of all characters that no phrase has.
constexpr int wordCharacter = 1, letterOrDigit = 2, uppercase = 4, characterShift = 3;

struct BoostTree {
  struct Edge {
    int character;
    int next;
  };
  // Roots: of phrases that are whole words in any casing, in their own; anywhere in any casing, in their own.
  static constexpr int roots = 4, wholeRoots = 2;

  std::vector<int> firstCharacter;  // of each piece of the vocabulary, and one entry more at the end
  std::vector<int> characters;      // numbers and flags
  std::vector<int> firstEdge;       // of each node, and one entry more at the end
  std::vector<Edge> edges;          // sorted by character within a node
  std::vector<double> weights;      // of the phrases that end at a node; natural logarithms
  std::vector<double> potentials;   // what has been earned at a node
  std::vector<uint8_t> whole;       // whether a node's phrases are whole words
  double firstUppercase = 0;        // for a text that begins with a capital
};

// All places that one text can be at in its phrases, and what each token changes from there.
struct BoostPlace {
  std::vector<int> nodes;  // sorted
  bool afterWord = false;  // the last character was one of a word
  bool begun = false;      // a letter or digit has come
  double potential = 0;    // what has been earned and not been kept yet
  double atEnd = 0;        // what is kept if the text ends here
  // By token, once they were asked for.
  mutable std::vector<double> gains;
  mutable std::vector<float> greedyGains;
};

// The place of one hypothesis in the phrases.
class Boosting {
 public:
  // Replaces or removes the phrases. Phrases that were begun are dropped.
  void set(std::shared_ptr<const BoostTree> tree);
  bool active() const { return places_ != nullptr; }
  std::shared_ptr<const BoostTree> tree() const;

  // The best token with phrases taken into account, given `token`, the best by its logit; `except` gets no bonus (-1:
  // no such token).
  int choose(const float* logits, int token, int except = -1) const;
  // By how much a token changes the score of a hypothesis that competes with others; null without phrases.
  const double* gains() const;
  // The same where there is nothing to fall back to, so that what was begun is neither given back nor expected: only
  // what a token itself adds, and a phrase that is not to be said counts where it would be completed.
  float greedyGain(int token) const;
  void advance(int token);
  // What was earned so far, and what changes if the text ends here.
  double potential() const { return place_ ? place_->potential : 0; }
  double settle() const { return place_ ? place_->atEnd - place_->potential : 0; }

  template <class Archive>
  void archive(Archive& archive) {
    // A snapshot contains its phrases; a place that is not in the tree would be read past its end.
    BoostPlace place;
    if (place_) place = *place_;
    archive(place.nodes, place.afterWord, place.begun);
    if constexpr (!Archive::writing) restore(place);
  }

 private:
  class Places;
  void restore(const BoostPlace& place);

  std::shared_ptr<const Places> places_;
  std::shared_ptr<const BoostPlace> place_;
};

}  // namespace parakeet
