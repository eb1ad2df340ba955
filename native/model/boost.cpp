#include "model/boost.h"

#include <algorithm>

#include "model/mutant.h"

namespace parakeet {
namespace {

// Gains that are kept, of all places together: of a long stream's places most are passed once.
constexpr size_t mostGains = 1 << 20;

// A place while characters are read.
struct Reading {
  std::vector<int> nodes;
  bool afterWord, begun;
  double earned = 0;   // weights of phrases that were completed
  double avoided = 0;  // those below zero that what was read has completed itself
};

void follow(const BoostTree& tree, int node, int character, std::vector<int>& next) {
  const auto begin = tree.edges.begin() + tree.firstEdge[node], end = tree.edges.begin() + tree.firstEdge[node + 1];
  const auto edge = std::lower_bound(begin, end, character,
                                     [](const BoostTree::Edge& one, int wanted) { return one.character < wanted; });
  if (edge != end && edge->character == character) next.push_back(edge->next);
}

void read(const BoostTree& tree, int token, Reading& reading, std::vector<int>& next) {
  const int first = tree.firstCharacter[token];
  for (int i = first; i < tree.firstCharacter[token + 1]; i++) {
    const int character = tree.characters[i] >> characterShift;
    const bool ofWord = tree.characters[i] & wordCharacter;
    const bool parted = !(reading.afterWord && ofWord);
    next.clear();
    for (const int node : reading.nodes) {
      if (parted || !tree.whole[node]) {
        reading.earned += tree.weights[node];
        if (i > first) reading.avoided += std::min(0.0, tree.weights[node]);
      }
      follow(tree, node, character, next);
    }
    for (int root = parted ? 0 : BoostTree::wholeRoots; root < BoostTree::roots; root++)
      follow(tree, root, character, next);
    std::sort(next.begin(), next.end());
    next.erase(std::unique(next.begin(), next.end()), next.end());
    reading.nodes.swap(next);
    reading.afterWord = ofWord;
    if (!reading.begun && (tree.characters[i] & letterOrDigit)) {
      reading.begun = true;
      if (tree.characters[i] & uppercase) {
        reading.earned += tree.firstUppercase;
        reading.avoided += std::min(0.0, tree.firstUppercase);
      }
    }
  }
}

// The largest of the phrases that are whole words, plus the largest of the others.
double potentialOf(const BoostTree& tree, const std::vector<int>& nodes) {
  double whole = 0, other = 0;
  for (const int node : nodes) {
    double& most = tree.whole[node] ? whole : other;
    most = std::max(most, tree.potentials[node]);
  }
  return whole + other;
}

}  // namespace

// The places of all texts in one tree, each made once.
class Boosting::Places {
 public:
  explicit Places(std::shared_ptr<const BoostTree> tree) : tree(std::move(tree)) {}

  std::shared_ptr<const BoostPlace> at(std::vector<int> nodes, bool afterWord, bool begun) const {
    std::vector<int> key = nodes;
    key.push_back(-1 - afterWord - 2 * begun);
    const std::scoped_lock lock(mutex_);
    auto& place = known_[key];
    if (place) return place;
    BoostPlace made{std::move(nodes), afterWord, begun};
    made.potential = potentialOf(*tree, made.nodes);
    for (const int node : made.nodes) made.atEnd += tree->weights[node];
    place = std::make_shared<const BoostPlace>(std::move(made));
    return place;
  }

  std::shared_ptr<const BoostPlace> after(const BoostPlace& place, int token) const {
    Reading reading{place.nodes, place.afterWord, place.begun};
    std::vector<int> next;
    read(*tree, token, reading, next);
    return at(std::move(reading.nodes), reading.afterWord, reading.begun);
  }

  // Fills in what each token changes.
  void measure(const BoostPlace& place) const {
    const std::scoped_lock lock(mutex_);
    if (!place.gains.empty()) return;
    const size_t tokens = tree->firstCharacter.size() - 1;
    if (kept_ += tokens; kept_ > mostGains) {
      known_.clear();
      kept_ = tokens;
    }
    std::vector<double> gains(tokens);
    place.greedyGains.resize(tokens);
    Reading reading;
    std::vector<int> next;
    for (size_t token = 0; token < tokens; token++) {
      reading.nodes.assign(place.nodes.begin(), place.nodes.end());
      reading.afterWord = place.afterWord;
      reading.begun = place.begun;
      reading.earned = reading.avoided = 0;
      read(*tree, static_cast<int>(token), reading, next);
      gains[token] = potentialOf(*tree, reading.nodes) - place.potential + reading.earned;
      double avoided = reading.avoided;
      for (const int node : reading.nodes) avoided += std::min(0.0, tree->weights[node]);
      place.greedyGains[token] = static_cast<float>(std::max(0.0, gains[token]) + avoided);
    }
    place.gains = std::move(gains);
  }

  const std::shared_ptr<const BoostTree> tree;

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::vector<int>, std::shared_ptr<const BoostPlace>> known_;
  mutable size_t kept_ = 0;
};

void Boosting::set(std::shared_ptr<const BoostTree> tree) {
  // A text begins once, whatever the phrases are.
  const bool begun = place_ && place_->begun;
  places_ = tree ? std::make_shared<const Places>(std::move(tree)) : nullptr;
  place_ = places_ ? places_->at({}, false, begun) : nullptr;
}

std::shared_ptr<const BoostTree> Boosting::tree() const { return places_ ? places_->tree : nullptr; }

void Boosting::restore(const BoostPlace& place) {
  if (!places_) return;
  const auto count = static_cast<int>(places_->tree->weights.size());
  const bool valid = std::is_sorted(place.nodes.begin(), place.nodes.end()) &&
                     std::all_of(place.nodes.begin(), place.nodes.end(),
                                 [&](int node) { return node >= BoostTree::roots && node < count; });
  place_ = places_->at(valid ? place.nodes : std::vector<int>{}, place.afterWord, place.begun);
}

const double* Boosting::gains() const {
  if (!place_) return nullptr;
  places_->measure(*place_);
  return place_->gains.data();
}

float Boosting::greedyGain(int token) const {
  if (!place_) return 0;
  places_->measure(*place_);
  return place_->greedyGains[token];
}

int Boosting::choose(const float* logits, int token, int except) const {
  if (!place_) return token;
  places_->measure(*place_);
  const std::vector<float>& gains = place_->greedyGains;
  const auto tokens = static_cast<int>(gains.size());
  const auto worth = [&](int one) { return logits[one] + (one < tokens && one != except ? gains[one] : 0.0f); };
  float most = worth(token);
  for (int other = 0; other < tokens; other++) {
    if (worth(other) <= most) continue;
    most = worth(other);
    token = other;
  }
  // A token that is to be avoided may be worse than none: the blank is the last.
  if (worth(tokens) > most) token = tokens;
  return token;
}

void Boosting::advance(int token) {
  if (place_ && !mutant("boost-stuck")) place_ = places_->after(*place_, token);
}

}  // namespace parakeet
