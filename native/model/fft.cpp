#include "model/fft.h"

#include <cmath>
#include <numbers>

namespace parakeet {

RealFft::RealFft(int length) : half_(length / 2), places_(length / 2) {
  const auto add = [](std::vector<double>& twiddles, int k, int turn) {
    const double angle = -2.0 * std::numbers::pi * k / turn;
    twiddles.push_back(std::cos(angle));
    twiddles.push_back(std::sin(angle));
  };
  for (int span = half_; span >= 4; span /= 4) {
    for (int p = 0; p < span / 4; p++) {
      for (int power = 1; power <= 3; power++) add(twiddles_, power * p, span);
    }
  }
  for (int k = 0; k <= half_ / 2; k++) add(realTwiddles_, k, length);
  // Each step sorts the frequencies by their lowest digit.
  for (int k = 0; k < half_; k++) {
    int rest = k, span = half_;
    for (; span >= 4; span /= 4, rest /= 4) places_[k] += rest % 4 * (span / 4);
    places_[k] += rest;
  }
}

}  // namespace parakeet
