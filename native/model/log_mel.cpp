#include "model/log_mel.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/mutant.h"
#include "ops/cpu/pool.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

// NeMo's log_zero_guard_value.
constexpr double guard = 1.0 / (1 << 24);

// Slaney's mel scale (librosa.hz_to_mel with htk=False): linear below 1 kHz, logarithmic above.
constexpr double linearStep = 200.0 / 3;
constexpr double breakHz = 1000.0;
constexpr double breakMel = breakHz / linearStep;
const double logStep = std::log(6.4) / 27.0;

double hzToMel(double hz) { return hz < breakHz ? hz / linearStep : breakMel + std::log(hz / breakHz) / logStep; }
double melToHz(double mel) {
  return mel < breakMel ? mel * linearStep : breakHz * std::exp(logStep * (mel - breakMel));
}

// Symmetric windows (torch.hann_window(periodic=False) and its like).
std::vector<double> makeWindow(const std::string& name, int length) {
  std::vector<double> window(length, 1.0);
  if (length == 1) return window;
  for (int i = 0; i < length; i++) {
    const double phase = 2.0 * std::numbers::pi * i / (length - 1);
    if (name == "hann") window[i] = 0.5 - 0.5 * std::cos(phase);
    if (name == "hamming") window[i] = 0.54 - 0.46 * std::cos(phase);
    if (name == "blackman") window[i] = 0.42 - 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase);
    if (name == "bartlett") window[i] = 1.0 - std::abs(2.0 * i / (length - 1) - 1.0);
  }
  return window;
}

}  // namespace

float digitalSilence() { return static_cast<float>(std::log(guard)); }

// Triangles between neighbouring mel points, each of unit area (librosa.filters.mel with norm='slaney').
MelFilters::MelFilters(const PreprocessorConfig& preprocessor)
    : config(preprocessor), window(makeWindow(preprocessor.window, preprocessor.windowLength)) {
  const int bins = config.fftLength / 2 + 1;
  const double top = hzToMel(config.sampleRate / 2.0);
  std::vector<double> edges(config.features + 2);
  for (int i = 0; i < config.features + 2; i++) edges[i] = melToHz(top * i / (config.features + 1));
  for (int m = 0; m < config.features; m++) {
    Band band;
    const double area = 2.0 / (edges[m + 2] - edges[m]);
    for (int bin = 0; bin < bins; bin++) {
      const double hz = static_cast<double>(config.sampleRate) * bin / config.fftLength;
      const double rise = (hz - edges[m]) / (edges[m + 1] - edges[m]);
      const double fall = (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1]);
      const double weight = std::max(0.0, std::min(rise, fall)) * area;
      if (weight > 0 && band.weights.empty()) band.firstBin = bin;
      if (weight > 0) band.weights.push_back(weight);
    }
    bands.push_back(std::move(band));
  }
}

LogMelStream::LogMelStream(std::shared_ptr<const MelFilters> filters)
    : filters_(std::move(filters)),
      fft_(filters_->config.fftLength),
      frame_(filters_->config.fftLength),
      power_(filters_->config.fftLength / 2 + 1) {
  // The zeros before the start, which the first frames reach.
  const int reach = filters_->config.windowLength / 2;
  emphasised_.assign(reach, 0.0f);
  first_ = -reach;
}

int64_t LogMelStream::liveFrames(const PreprocessorConfig& config, int64_t samples) {
  const int64_t reach = config.windowLength - config.windowLength / 2;
  return samples < reach ? 0 : (samples - reach) / config.hop + 1;
}

bool LogMelStream::valid() const {
  const PreprocessorConfig& config = filters_->config;
  const int64_t next = frames_ * config.hop - config.windowLength / 2;
  return samples_ >= 0 && frames_ >= 0 && frames_ == liveFrames(config, samples_) && first_ <= next &&
         first_ + static_cast<int64_t>(emphasised_.size()) == samples_;
}

void LogMelStream::append(float sample) {
  // In float32, as NeMo's preemphasis is.
  const float emphasis = static_cast<float>(filters_->config.preemphasis);
  emphasised_.push_back(samples_ == 0 ? sample : sample - emphasis * previous_);
  previous_ = sample;
  samples_++;
}

void LogMelStream::push(const float* samples, size_t count, std::vector<float>& out) {
  if (mutant("push-edge")) previous_ = 0;
  for (size_t i = 0; i < count; i++) append(samples[i]);
  emit(liveFrames(filters_->config, samples_), out);
}

void LogMelStream::finish(size_t flush, std::vector<float>& out) {
  for (size_t i = 0; i < flush; i++) append(0.0f);
  const int64_t total = samples_ / filters_->config.hop;
  emphasised_.resize(emphasised_.size() + filters_->config.windowLength, 0.0f);
  emit(total, out);
}

void LogMelStream::emit(int64_t until, std::vector<float>& out) {
  const PreprocessorConfig& config = filters_->config;
  const int reach = config.windowLength / 2;
  const int margin = (config.fftLength - config.windowLength) / 2;
  for (; frames_ < until; frames_++) {
    const float* source = emphasised_.data() + (frames_ * config.hop - reach - first_);
    std::fill(frame_.begin(), frame_.end(), 0.0);
    for (int i = 0; i < config.windowLength; i++) frame_[margin + i] = filters_->window[i] * source[i];
    fft_.power(frame_.data(), power_.data());
    for (const MelFilters::Band& band : filters_->bands) {
      double energy = 0;
      for (size_t k = 0; k < band.weights.size(); k++) energy += band.weights[k] * power_[band.firstBin + k];
      out.push_back(static_cast<float>(std::log(energy + guard)));
    }
  }
  // Keep what the next frame reaches back to; erase in large pieces only.
  const int64_t keep = frames_ * config.hop - reach;
  const int64_t drop = std::min<int64_t>(keep - first_, static_cast<int64_t>(emphasised_.size()));
  if (drop > 4096) {
    emphasised_.erase(emphasised_.begin(), emphasised_.begin() + drop);
    first_ += drop;
  }
}

std::vector<float> wholeLogMel(const std::shared_ptr<const MelFilters>& filters, const float* samples, size_t count,
                               size_t flush, const CancelFlag& cancel) {
  constexpr int64_t pieceFrames = 1000;
  const PreprocessorConfig& config = filters->config;
  const int64_t hop = config.hop, features = config.features, reach = config.windowLength / 2;
  const auto length = static_cast<int64_t>(count);
  const int64_t total = (length + static_cast<int64_t>(flush)) / hop;
  // The first sample of a stream has nothing before it. In a piece it is a real one's neighbour, so each piece begins
  // some frames early, and leaves out those that reach it.
  const int64_t early = reach / hop + 1;
  const int64_t pieces = std::max<int64_t>(1, LogMelStream::liveFrames(config, length) / pieceFrames);
  std::vector<float> all(static_cast<size_t>(total * features));
  const ops::PartScope part(ops::Part::mel);
  const ops::PartTimer timer(ops::Part::mel);
  ops::parallelFor(static_cast<int>(pieces), 1, [&](int begin, int end) {
    std::vector<float> own;
    for (int64_t piece = begin; piece < end; piece++) {
      cancel.check();
      const int64_t first = piece * pieceFrames, last = piece + 1 == pieces ? total : first + pieceFrames;
      const int64_t from = std::max<int64_t>(0, first - early);
      LogMelStream stream(filters);
      own.clear();
      const int64_t until = piece + 1 == pieces ? length : (last - 1) * hop + config.windowLength - reach;
      stream.push(samples + from * hop, static_cast<size_t>(until - from * hop), own);
      if (piece + 1 == pieces) stream.finish(flush, own);
      std::copy_n(own.begin() + (first - from) * features, (last - first) * features, all.begin() + first * features);
    }
  });
  return all;
}

}  // namespace parakeet
