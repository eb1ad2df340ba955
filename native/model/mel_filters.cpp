#include "model/mel_filters.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "ops/doubles.h"

namespace parakeet {
namespace {

using namespace ops;  // what PARAKEET_VERSIONS names

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

// `count` doubles of the calling thread, at the beginning of a register.
double* scratch(size_t count) {
  constexpr size_t alignment = 64;
  thread_local std::vector<double> buffer;
  if (buffer.size() < count + alignment / sizeof(double)) buffer.resize(count + alignment / sizeof(double));
  void* begin = buffer.data();
  size_t space = buffer.size() * sizeof(double);
  return static_cast<double*>(std::align(alignment, count * sizeof(double), begin, space));
}

// A frame in each lane; the last lanes of the last round repeat its last frame.
template <class V>
PARAKEET_INLINE void melFramesBody(const MelFilters& filters, const float* samples, int count, float* out,
                                   double* work) {
  using D = DoubleVector<V::lanes / 2>;
  const int length = filters.config.fftLength, windowLength = filters.config.windowLength;
  const int margin = (length - windowLength) / 2;
  const auto features = static_cast<int>(filters.bands.size());
  double* const frame = work;
  double* const power = frame + static_cast<size_t>(length) * D::lanes;
  auto* const logs = reinterpret_cast<float*>(power + static_cast<size_t>(length / 2 + 1) * D::lanes);
  for (int done = 0; done < count; done += D::lanes) {
    const int own = count - done < D::lanes ? count - done : D::lanes;
    const float* from[D::lanes];
    for (int lane = 0; lane < D::lanes; lane++)
      from[lane] = samples + static_cast<ptrdiff_t>(done + (lane < own ? lane : own - 1)) * filters.config.hop;
    for (int i = 0; i < margin; i++) D::store(frame + i * D::lanes, typename D::Doubles{});
    for (int i = 0; i < windowLength; i++) {
      typename D::Floats x;
      for (int lane = 0; lane < D::lanes; lane++) x[lane] = from[lane][i];
      D::store(frame + (margin + i) * D::lanes, filters.window[i] * D::widen(x));
    }
    for (int i = margin + windowLength; i < length; i++) D::store(frame + i * D::lanes, typename D::Doubles{});
    filters.fft.template power<D>(frame, power);
    for (int band = 0; band < features; band++) {
      const double* weight = filters.bands[band].weights.data();
      const auto bins = static_cast<int>(filters.bands[band].weights.size());
      const double* bin = power + filters.bands[band].firstBin * D::lanes;
      typename D::Doubles energy{};
      for (int k = 0; k < bins; k++) energy += weight[k] * D::load(bin + k * D::lanes);
      D::storeNarrow(logs + band * D::lanes, D::logarithm(energy + guard));
    }
    for (int lane = 0; lane < own; lane++) {
      float* row = out + static_cast<ptrdiff_t>(done + lane) * features;
      for (int band = 0; band < features; band++) row[band] = logs[band * D::lanes + lane];
    }
  }
}
PARAKEET_VERSIONS(melFrames, (const MelFilters& filters, const float* samples, int count, float* out, double* work),
                  (filters, samples, count, out, work))

}  // namespace

float digitalSilence() { return static_cast<float>(std::log(guard)); }

// Triangles between neighbouring mel points, each of unit area (librosa.filters.mel with norm='slaney').
MelFilters::MelFilters(const PreprocessorConfig& preprocessor)
    : config(preprocessor),
      fft(preprocessor.fftLength),
      window(makeWindow(preprocessor.window, preprocessor.windowLength)) {
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

void MelFilters::frames(const float* samples, int count, float* out) const {
  // For the widest register: the samples, the power spectrum, and as floats the logarithms.
  constexpr size_t lanes = 8;
  const auto values = static_cast<size_t>(config.fftLength + config.fftLength / 2 + 1 + config.features);
  melFrames(*this, samples, count, out, scratch(values * lanes));
}

}  // namespace parakeet
