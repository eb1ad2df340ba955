#include "model/live_statistics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "model/mutant.h"
#include "model/speech_level.h"

namespace parakeet {

LiveStatistics::LiveStatistics(int features) : features_(static_cast<size_t>(features)) {
  settled_.mean.resize(features_);
  settled_.squares.resize(features_);
  newest_ = settled_;
}

void LiveStatistics::assume(const Statistics& prior, int frames) {
  const double mean =
      std::accumulate(prior.mean.begin(), prior.mean.end(), 0.0) / static_cast<double>(prior.mean.size());
  settled_.weight = frames;
  for (size_t f = 0; f < features_; f++) {
    settled_.mean[f] = prior.mean[f] - mean + referenceLevel - loudAboveMean;
    settled_.squares[f] = static_cast<double>(prior.deviation[f]) * prior.deviation[f] * frames;
  }
  newest_ = settled_;
}

void LiveStatistics::add(std::vector<SoundFrame> frames) {
  std::vector<SoundFrame> decided;
  for (SoundFrame& frame : frames) {
    const auto quieter = [](float one, float other) { return one + dip < other; };
    for (SoundFrame& earlier : undecided_) earlier.dipAfter |= quieter(frame.loudness, earlier.loudness);
    frame.dipBefore =
        std::any_of(recent_.begin(), recent_.end(), [&](float earlier) { return quieter(earlier, frame.loudness); });
    recent_.push_back(frame.loudness);
    if (recent_.size() > dipFrames) recent_.erase(recent_.begin());
    undecided_.push_back(std::move(frame));
    auto open = undecided_.begin();
    const auto late = undecided_.end() - static_cast<ptrdiff_t>(std::min(undecided_.size(), dipFrames));
    while (open != undecided_.end() && (open < late || !open->dipBefore || open->dipAfter)) open++;
    std::move(undecided_.begin(), open, std::back_inserter(decided));
    undecided_.erase(undecided_.begin(), open);
  }
  settled_.add(decided);
  newest_ = settled_;
  for (const SoundFrame& frame : undecided_) decided.push_back(frame), decided.back().dipAfter = true;
  newest_.add({decided.end() - static_cast<ptrdiff_t>(undecided_.size()), decided.end()});
}

void LiveStatistics::Averages::add(const std::vector<SoundFrame>& frames) {
  const double keep = mutant("never-forgotten") ? 1 : 1 - 1 / levelFrames;
  std::vector<const float*> speech;
  for (const SoundFrame& frame : frames) {
    const bool syllables = frame.dipBefore && frame.dipAfter;
    if (levelWeight > 0 && !syllables && frame.loudness > level + louder) continue;
    // Until a frame is loud, the very first one gives a provisional level.
    const bool loud = frame.loud || levelWeight == 0;
    sinceLoud = loud ? 0 : std::min(sinceLoud + 1, pauseFrames + 1);
    if (sinceLoud <= pauseFrames) speech.push_back(frame.logMel.data());
    if (!loud) continue;
    levelWeight = levelWeight * keep + 1;
    level += (frame.loudness - level) / levelWeight;
  }
  for (const float* frame : speech) addShape(frame);
}

void LiveStatistics::Averages::addShape(const float* logMel) {
  std::vector<float> levelled;
  amplify(logMel, mean.size(), gain(), levelled);
  heard++;
  const double keep = mutant("never-forgotten") ? 1 : 1 - 1 / shapeFrames;
  weight = weight * keep + 1;
  for (size_t f = 0; f < mean.size(); f++) {
    const double delta = levelled[f] - mean[f];
    mean[f] += delta / weight;
    squares[f] = squares[f] * keep + delta * (levelled[f] - mean[f]);
  }
}

void LiveStatistics::normalize(const float* logMel, int count, std::vector<float>& out) const {
  Statistics statistics;
  for (size_t f = 0; f < features_; f++) {
    statistics.mean.push_back(static_cast<float>(newest_.mean[f]));
    statistics.deviation.push_back(static_cast<float>(std::sqrt(newest_.squares[f] / (newest_.weight - 1))));
  }
  std::vector<float> levelled;
  amplify(logMel, static_cast<size_t>(count) * features_, newest_.gain(), levelled);
  normalizeFrames(levelled.data(), count, statistics, out);
}

bool LiveStatistics::valid() const {
  const auto fits = [this](const Averages& one) {
    return one.mean.size() == features_ && one.squares.size() == features_ && one.heard >= 0;
  };
  return fits(settled_) && fits(newest_) && recent_.size() <= dipFrames && undecided_.size() <= dipFrames &&
         std::all_of(undecided_.begin(), undecided_.end(),
                     [this](const SoundFrame& frame) { return frame.logMel.size() == features_; });
}

}  // namespace parakeet
