// A register of doubles for loops in double precision, as ops/cpu/vector.h has one of floats; PARAKEET_VERSIONS there
// makes the versions, and V::lanes / 2 doubles are as wide as V.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "ops/cpu/vector.h"

namespace parakeet::ops {

// Lane by lane. (Functions of their own: within the struct, GCC does not take its typedefs for vectors.)
template <class D>
PARAKEET_INLINE typename D::Doubles widened(typename D::Floats x) {
  return __builtin_convertvector(x, typename D::Doubles);
}
template <class D>
PARAKEET_INLINE typename D::Floats narrowed(typename D::Doubles x) {
  return __builtin_convertvector(x, typename D::Floats);
}

template <int size>
struct DoubleVector {
  static constexpr int lanes = size;
  typedef double Doubles __attribute__((vector_size(8 * size)));
  typedef uint64_t Bits __attribute__((vector_size(8 * size)));
  typedef float Floats __attribute__((vector_size(4 * size)));

  static PARAKEET_INLINE Doubles load(const double* x) {
    Doubles v;
    std::memcpy(&v, x, sizeof v);
    return v;
  }
  static PARAKEET_INLINE void store(double* x, Doubles v) { std::memcpy(x, &v, sizeof v); }
  static PARAKEET_INLINE Doubles widen(Floats x) { return widened<DoubleVector>(x); }
  // Rounds to float32.
  static PARAKEET_INLINE void storeNarrow(float* x, Doubles v) {
    const Floats narrow = narrowed<DoubleVector>(v);
    std::memcpy(x, &narrow, sizeof narrow);
  }

  // ln(x) within 1 unit in the last place for positive x that are not denormal; infinity and NaN stay what they are.
  // x = 2ᵏ · (1 + f) with 1 + f in [√½, √2); the polynomial is fdlibm's (e_log.c).
  static PARAKEET_INLINE Doubles logarithm(Doubles x) {
    constexpr uint64_t one = std::bit_cast<uint64_t>(1.0), rootHalf = std::bit_cast<uint64_t>(0x1.6a09e667f3bcdp-1);
    // k + 1023 as a double: whole numbers below 2⁵² are the low bits of a mantissa.
    constexpr double whole = 0x1p52;
    const Bits bits = (Bits)x;
    const Bits biased = (bits + (one - rootHalf)) >> 52;
    const Doubles k = (Doubles)(biased | std::bit_cast<uint64_t>(whole)) - (whole + 1023.0);
    const Doubles f = (Doubles)(bits - (biased << 52) + one) - 1.0;
    const Doubles s = f / (f + 2.0), z = s * s, half = 0.5 * f * f;
    Doubles r = z * 1.479819860511658591e-01 + 1.531383769920937332e-01;
    r = r * z + 1.818357216161805012e-01;
    r = r * z + 2.222219843214978396e-01;
    r = r * z + 2.857142874366239149e-01;
    r = r * z + 3.999999999940941908e-01;
    r = r * z + 6.666666666666735130e-01;
    const Doubles low = s * (half + r * z) + k * 1.90821492927058770002e-10;
    const Doubles result = k * 6.93147180369123816490e-01 - ((half - low) - f);
    return x < __builtin_inf() ? result : x;
  }
};

}  // namespace parakeet::ops
