// 2^f for |f| <= 1/2 as a polynomial, whatever registers evaluate it: the best approximation of its degree, with a
// relative error of 9e-8.
#pragma once

namespace parakeet::ops {

// Of f⁰, f¹, …
constexpr float powerOfTwoTerms[] = {1.0f,           6.93147004e-1f, 2.40222424e-1f,
                                     5.55073358e-2f, 9.67151299e-3f, 1.32647273e-3f};
constexpr int powerOfTwoDegree = 5;

}  // namespace parakeet::ops
