#include "model/position.h"

#include <cmath>

namespace parakeet {

std::vector<float> relativePositions(int from, int to, int width) {
  std::vector<float> rows;
  rows.reserve(static_cast<size_t>(from - to + 1) * width);
  std::vector<double> rates(width / 2);
  for (int i = 0; i < width / 2; i++) rates[i] = std::exp(2 * i * -(std::log(10000.0) / width));
  for (int distance = from; distance >= to; distance--) {
    for (const double rate : rates) {
      rows.push_back(static_cast<float>(std::sin(distance * rate)));
      rows.push_back(static_cast<float>(std::cos(distance * rate)));
    }
  }
  return rows;
}

}  // namespace parakeet
