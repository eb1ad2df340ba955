// bfloat16 by its bits, and float, for kernels that take either. A part of the header of kernels that NVRTC compiles, and
// of their tests on the CPU.
namespace parakeet_bits {

__device__ inline float widened(unsigned short bits) { return __uint_as_float(static_cast<unsigned>(bits) << 16); }
__device__ inline float widened(float value) { return value; }

// To the nearest, ties to even.
__device__ inline void narrow(float value, unsigned short& to) {
  const unsigned bits = __float_as_uint(value);
  to = static_cast<unsigned short>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
__device__ inline void narrow(float value, float& to) { to = value; }

}  // namespace parakeet_bits
