// Fourier transform of real frames, in double precision and several at once: one in each lane of a register, so that
// every frame goes through the same operations in the same order, regardless of the frames beside it. Not a general
// FFT: lengths are powers of two.
#pragma once

#include <vector>

#include "ops/doubles.h"

namespace parakeet {

class RealFft {
 public:
  // `length`: samples of a frame, a power of two, at least 4.
  explicit RealFft(int length);

  // Power spectra re² + im² of D::lanes frames: `length / 2 + 1` bins into `power`. `samples`: `length` of them, which
  // are overwritten. Sample or bin i of all frames lies at i · D::lanes. D: an ops::DoubleVector.
  //
  // The even and odd samples are the real and imaginary part of a complex signal of half the length (Press et al.,
  // Numerical Recipes, section 12.3).
  template <class D>
  PARAKEET_INLINE void power(double* samples, double* power) const {
    transform<D>(samples);
    for (int k = 0; k <= half_ / 2; k++) {
      const double* first = samples + places_[k] * 2 * D::lanes;
      const double* mirrored = samples + places_[k ? half_ - k : 0] * 2 * D::lanes;
      const auto aRe = D::load(first), aIm = D::load(first + D::lanes);
      const auto bRe = D::load(mirrored), bIm = D::load(mirrored + D::lanes);
      // Twice the transforms of the even samples and of the odd ones.
      const auto evenRe = aRe + bRe, evenIm = aIm - bIm, oddRe = aIm + bIm, oddIm = bRe - aRe;
      const double cosine = realTwiddles_[2 * k], sine = realTwiddles_[2 * k + 1];
      const auto turnedRe = cosine * oddRe - sine * oddIm, turnedIm = cosine * oddIm + sine * oddRe;
      store<D>(power + k * D::lanes, evenRe + turnedRe, evenIm + turnedIm);
      store<D>(power + (half_ - k) * D::lanes, evenRe - turnedRe, evenIm - turnedIm);
    }
  }

 private:
  template <class D>
  static PARAKEET_INLINE void store(double* power, typename D::Doubles re, typename D::Doubles im) {
    D::store(power, 0.25 * (re * re + im * im));
  }

  // Complex transform in place, by decimation in frequency in radix 4, with a final step in radix 2 where needed
  // (Oppenheim and Schafer, Discrete-Time Signal Processing, section 9.3). Frequency k ends up at places_[k].
  template <class D>
  PARAKEET_INLINE void transform(double* x) const {
    const double* stage = twiddles_.data();
    int span = half_;
    for (; span >= 4; span /= 4) {
      const int quarter = span / 4;
      for (int start = 0; start < half_; start += span) {
        double* group = x + start * 2 * D::lanes;
        butterfly<D, false>(group, quarter, nullptr);
        for (int p = 1; p < quarter; p++) butterfly<D, true>(group + p * 2 * D::lanes, quarter, stage + 6 * p);
      }
      stage += 6 * quarter;
    }
    for (int start = 0; span == 2 && start < half_; start += 2) {
      double* a = x + start * 2 * D::lanes;
      for (int part = 0; part < 2; part++, a += D::lanes) {
        const auto sum = D::load(a) + D::load(a + 2 * D::lanes), difference = D::load(a) - D::load(a + 2 * D::lanes);
        D::store(a, sum);
        D::store(a + 2 * D::lanes, difference);
      }
    }
  }

  // Four values, `quarter` apart. `turn`: w, w² and w³, real and imaginary part.
  template <class D, bool turned>
  static PARAKEET_INLINE void butterfly(double* x, int quarter, const double* turn) {
    const int apart = quarter * 2 * D::lanes;
    const auto put = [&](int at, typename D::Doubles re, typename D::Doubles im) PARAKEET_LAMBDA {
      double* to = x + at * apart;
      if (turned && at > 0) {
        const double c = turn[2 * at - 2], s = turn[2 * at - 1];
        D::store(to, c * re - s * im);
        D::store(to + D::lanes, c * im + s * re);
      } else {
        D::store(to, re);
        D::store(to + D::lanes, im);
      }
    };
    const auto aRe = D::load(x), aIm = D::load(x + D::lanes);
    const auto bRe = D::load(x + apart), bIm = D::load(x + apart + D::lanes);
    const auto cRe = D::load(x + 2 * apart), cIm = D::load(x + 2 * apart + D::lanes);
    const auto dRe = D::load(x + 3 * apart), dIm = D::load(x + 3 * apart + D::lanes);
    const auto acRe = aRe + cRe, acIm = aIm + cIm, bdRe = bRe + dRe, bdIm = bIm + dIm;
    const auto fromCRe = aRe - cRe, fromCIm = aIm - cIm, fromDRe = bRe - dRe, fromDIm = bIm - dIm;
    put(0, acRe + bdRe, acIm + bdIm);
    put(1, fromCRe + fromDIm, fromCIm - fromDRe);
    put(2, acRe - bdRe, acIm - bdIm);
    put(3, fromCRe - fromDIm, fromCIm + fromDRe);
  }

  int half_;
  std::vector<int> places_;
  std::vector<double> twiddles_;      // of each step in radix 4: w^p, w^2p, w^3p, w = e^(-2πi/span), p < span / 4
  std::vector<double> realTwiddles_;  // e^(-2πik/length)
};

}  // namespace parakeet
