// Rows of a stream in a batch: those that are past, its own, and zeros before and after them.
#pragma once

#include <cstddef>
#include <cstring>

namespace parakeet::ops {

struct PastAndOwn {
  const float *past, *own;  // past: null for zeros
  int pastRows;             // row −pastRows is the first of them
  int ownRows;              // row 0 is the first of them
  size_t width;

  // Copies rows [begin, end).
  void copy(int begin, int end, float* to) const {
    const auto stride = static_cast<ptrdiff_t>(width);
    for (int row = begin; row < end; row++, to += width) {
      const float* from = nullptr;
      if (row >= 0 && row < ownRows) from = own + row * stride;
      if (row < 0 && past) from = past + (pastRows + row) * stride;
      from ? std::memcpy(to, from, width * sizeof(float)) : std::memset(to, 0, width * sizeof(float));
    }
  }
};

}  // namespace parakeet::ops
