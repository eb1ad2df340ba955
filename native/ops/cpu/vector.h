// What plain loops share so that the compiler turns them into vectors: a version of a function for each
// instruction set, chosen by the CPU at run time, and an exponential without branches.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "ops/cpu/vector_level.h"

#define PARAKEET_INLINE inline __attribute__((always_inline))
#define PARAKEET_LAMBDA __attribute__((always_inline))

// PARAKEET_VERSIONS(name, (parameters), (arguments)) defines `void name(parameters)` from `template <class V> void
// nameBody(parameters)`, where V is the Vector of the set's register. The body and all that it calls are
// PARAKEET_INLINE: what is not inlined stays in the base instruction set. (GCC's target_clones cannot ask for two sets
// at once, and it splits vectors wider than a register.)
#if defined(__x86_64__)
#define PARAKEET_VERSIONS(name, parameters, arguments)                                                  \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) void name##Avx512 parameters { \
    name##Body<Vector<16>> arguments;                                                                   \
  }                                                                                                     \
  __attribute__((target("avx2,fma"))) void name##Avx2 parameters { name##Body<Vector<8>> arguments; }   \
  void name##Base parameters { name##Body<Vector<4>> arguments; }                                       \
  void name parameters {                                                                                \
    static const auto version = vectorLevel() == VectorLevel::avx512 ? name##Avx512                     \
                                : vectorLevel() == VectorLevel::avx2 ? name##Avx2                       \
                                                                     : name##Base;                      \
    version arguments;                                                                                  \
  }
#else
#define PARAKEET_VERSIONS(name, parameters, arguments) \
  void name parameters { name##Body<Vector<4>> arguments; }
#endif

namespace parakeet::ops {

// `size` values in one register, as GCC's and Clang's vector extension.
template <int size>
struct Vector {
  static constexpr int lanes = size;
  typedef float Floats __attribute__((vector_size(4 * size)));
  typedef int32_t Ints __attribute__((vector_size(4 * size)));
  typedef uint8_t Bytes __attribute__((vector_size(size)));
  typedef uint16_t Halves __attribute__((vector_size(2 * size)));

  static PARAKEET_INLINE Floats broadcast(float x) { return Floats{} + x; }
  static PARAKEET_INLINE Floats load(const float* x) {
    Floats v;
    std::memcpy(&v, x, sizeof v);
    return v;
  }
  static PARAKEET_INLINE void store(float* x, Floats v) { std::memcpy(x, &v, sizeof v); }
  // The first `count` values, zeros after them.
  static PARAKEET_INLINE Floats load(const float* x, int count) {
    if (count == lanes) return load(x);
    Floats v{};
    std::memcpy(&v, x, count * sizeof(float));
    return v;
  }
  static PARAKEET_INLINE void store(float* x, Floats v, int count) {
    if (count == lanes) return store(x, v);
    std::memcpy(x, &v, count * sizeof(float));
  }

  static PARAKEET_INLINE Floats largest(Floats a, Floats b) { return a > b ? a : b; }
  static PARAKEET_INLINE Floats smallest(Floats a, Floats b) { return a < b ? a : b; }
  static PARAKEET_INLINE float sum(Floats v) {
    return folded(v, [](auto a, auto b) PARAKEET_LAMBDA { return a + b; });
  }
  static PARAKEET_INLINE float largest(Floats v) {
    return folded(v, [](auto a, auto b) PARAKEET_LAMBDA { return a > b ? a : b; });
  }
  static PARAKEET_INLINE float smallest(Floats v) {
    return folded(v, [](auto a, auto b) PARAKEET_LAMBDA { return a < b ? a : b; });
  }

  // combine(…) of all values, one half of the register with the other until there is one.
  template <class Combine>
  static PARAKEET_INLINE float folded(Floats v, Combine combine) {
    if constexpr (size == 4) {
      float parts[4];
      store(parts, v);
      return combine(combine(parts[0], parts[2]), combine(parts[1], parts[3]));
    } else {
      using Half = Vector<size / 2>;
      typename Half::Floats halves[2];
      std::memcpy(halves, &v, sizeof v);
      return Half::folded(combine(halves[0], halves[1]), combine);
    }
  }

  // `v`, the part of a row from `at` on, with `otherwise` in the places outside [begin, end). Uses signs: GCC does not
  // vectorise integer comparisons here.
  static PARAKEET_INLINE Floats within(Floats v, int at, int begin, int end, Floats otherwise) {
    static constexpr int32_t places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    Ints place;
    std::memcpy(&place, places, sizeof place);
    const Ints inside = ((place + (at - end)) >> 31) & ~((place + (at - begin)) >> 31);
    return (Floats)(((Ints)v & inside) | ((Ints)otherwise & ~inside));
  }

  // Adding it rounds to a whole number, in the low bits of the mantissa: 1.5 · 2²³.
  static constexpr float rounding = 12582912.0f;
  static PARAKEET_INLINE Ints rounded(Floats x) { return (Ints)(x + rounding) - std::bit_cast<int32_t>(rounding); }

  // eˣ within 2 units in the last place, for x clamped to [−87, 88]; NaN stays NaN. Cephes' polynomial (S. Moshier,
  // expf.c).
  static PARAKEET_INLINE Floats exponential(Floats x) {
    x = x < -87.0f ? broadcast(-87.0f) : x;
    x = x > 88.0f ? broadcast(88.0f) : x;
    const Floats shifted = x * 1.44269504088896341f + rounding;
    const Floats n = shifted - rounding;
    const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const Floats e = p * (r * r) + r + 1.0f;
    const Ints power = (Ints)shifted - std::bit_cast<int32_t>(rounding);
    return e * (Floats)((power + 127) << 23);
  }

  static PARAKEET_INLINE Floats sigmoid(Floats x) { return 1.0f / (1.0f + exponential(-x)); }
};

// Calls `body(at, count)` for pieces of one register and a shorter last one. The lambda is PARAKEET_LAMBDA.
template <class V, class Body>
PARAKEET_INLINE void pieces(int count, Body body) {
  int at = 0;
  for (; at + V::lanes <= count; at += V::lanes) body(at, V::lanes);
  if (at < count) body(at, count - at);
}

}  // namespace parakeet::ops
