// Fourier transform of one real frame, in double precision and always by the same operations in the same order,
// so that a mel frame does not depend on how many are computed together. Not a general FFT: lengths are powers of two.
#pragma once

#include <complex>
#include <vector>

namespace parakeet {

class RealFft {
 public:
  // `length`: samples, a power of two, at least 4.
  explicit RealFft(int length);
  // Power spectrum re² + im² of `length` samples: `length / 2 + 1` bins into `power`.
  void power(const double* samples, double* power);

 private:
  int half_;
  std::vector<int> reversed_;
  std::vector<std::complex<double>> twiddles_;      // e^(-2πik/half)
  std::vector<std::complex<double>> realTwiddles_;  // e^(-2πik/length)
  std::vector<std::complex<double>> work_;
};

}  // namespace parakeet
