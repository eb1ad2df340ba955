#include "ops/cpu/matvec.h"

namespace parakeet::ops {
namespace {

// Sixteen partial sums, so that the compiler may use vectors without reordering a sum it was not told to.
constexpr int lanes = 16;

// One copy for each instruction set, chosen when the library is loaded (GNU indirect functions).
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define PARAKEET_CLONES __attribute__((target_clones("default", "avx2,fma", "avx512f")))
#else
#define PARAKEET_CLONES
#endif

PARAKEET_CLONES void multiply(const float* weight, const float* bias, const float* x, float* y, int rows, int columns) {
  for (int r = 0; r < rows; r++, weight += columns) {
    float sums[lanes] = {};
    int c = 0;
    for (; c + lanes <= columns; c += lanes) {
      for (int k = 0; k < lanes; k++) sums[k] += weight[c + k] * x[c + k];
    }
    float sum = bias ? bias[r] : 0.0f;
    for (; c < columns; c++) sum += weight[c] * x[c];
    for (const float part : sums) sum += part;
    y[r] = sum;
  }
}

}  // namespace

void matvec(const float* weight, const float* bias, const float* x, float* y, int rows, int columns) {
  multiply(weight, bias, x, y, rows, columns);
}

}  // namespace parakeet::ops
