#include "ops/cpu/quantize.h"

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

template <class V>
PARAKEET_INLINE void quantizeBody(const float* weight, int8_t* bytes, int count, QuantizedChannel* channel) {
  using Floats = typename V::Floats;
  using Ints = typename V::Ints;
  Floats peaks{};
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    const Floats v = V::load(weight + at, n);
    peaks = V::largest(V::largest(v, -v), peaks);
  });
  const float peak = V::largest(peaks);
  channel->scale = peak > 0 ? peak / 127.0f : 1.0f;
  Ints sums{};
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    const Floats v = V::load(weight + at, n) / channel->scale;
    // Halves away from zero, as the conversion of a model does it (src/model/stored-types.ts).
    Ints whole = __builtin_convertvector(v, Ints);
    const Floats rest = v - __builtin_convertvector(whole, Floats);
    whole = whole - (Ints)(rest >= 0.5f) + (Ints)(rest <= -0.5f);
    sums += whole;
    const auto narrow = __builtin_convertvector(whole, typename V::Bytes);
    std::memcpy(bytes + at, &narrow, n);
  });
  channel->sum = 0;
  for (int k = 0; k < V::lanes; k++) channel->sum += sums[k];
}
PARAKEET_VERSIONS(quantize, (const float* weight, int8_t* bytes, int count, QuantizedChannel* channel),
                  (weight, bytes, count, channel))

}  // namespace

QuantizedChannel quantizeChannel(const float* weight, int8_t* bytes, int count) {
  QuantizedChannel channel{};
  quantize(weight, bytes, count, &channel);
  return channel;
}

}  // namespace parakeet::ops
