#include "model/fft.h"

#include <numbers>

namespace parakeet {

// The usual trick: the even and odd samples are the real and imaginary part of a complex signal of half the length
// (Press et al., Numerical Recipes, section 12.3).
RealFft::RealFft(int length) : half_(length / 2) {
  int bits = 0;
  while ((1 << bits) < half_) bits++;
  reversed_.resize(half_);
  for (int i = 0; i < half_; i++) {
    int value = 0;
    for (int bit = 0; bit < bits; bit++) value |= ((i >> bit) & 1) << (bits - 1 - bit);
    reversed_[i] = value;
  }
  const double turn = -2.0 * std::numbers::pi;
  for (int k = 0; k < half_ / 2; k++) twiddles_.push_back(std::polar(1.0, turn * k / half_));
  for (int k = 0; k <= half_; k++) realTwiddles_.push_back(std::polar(1.0, turn * k / length));
  work_.resize(half_);
}

void RealFft::power(const double* samples, double* power) {
  for (int i = 0; i < half_; i++) work_[reversed_[i]] = {samples[2 * i], samples[2 * i + 1]};
  for (int span = 1; span < half_; span *= 2) {
    const int stride = half_ / (2 * span);
    for (int start = 0; start < half_; start += 2 * span) {
      for (int k = 0; k < span; k++) {
        const std::complex<double> w = twiddles_[k * stride];
        const std::complex<double> a = work_[start + k];
        const std::complex<double> b = work_[start + k + span];
        // Written out: std::complex's operator* checks for NaN on every product.
        const std::complex<double> t{w.real() * b.real() - w.imag() * b.imag(),
                                     w.real() * b.imag() + w.imag() * b.real()};
        work_[start + k] = a + t;
        work_[start + k + span] = a - t;
      }
    }
  }
  for (int k = 0; k <= half_; k++) {
    const std::complex<double> a = work_[k % half_];
    const std::complex<double> b = std::conj(work_[(half_ - k) % half_]);
    const std::complex<double> even = 0.5 * (a + b);
    const std::complex<double> difference = 0.5 * (a - b);
    const std::complex<double> odd{difference.imag(), -difference.real()};
    const std::complex<double> w = realTwiddles_[k];
    const double re = even.real() + w.real() * odd.real() - w.imag() * odd.imag();
    const double im = even.imag() + w.real() * odd.imag() + w.imag() * odd.real();
    power[k] = re * re + im * im;
  }
}

}  // namespace parakeet
