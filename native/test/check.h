// Checks of the test program: a failed one is printed with its place and counted; the program goes on.
#pragma once

#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

#include "model/matrix.h"

namespace parakeet::test {

inline int failures = 0;

inline void report(bool holds, const char* what, const char* file, int line, const std::string& more = "") {
  if (holds) return;
  failures++;
  std::printf("%s:%d: %s%s%s\n", file, line, what, more.empty() ? "" : ": ", more.c_str());
}

// What a call threw; empty when it threw nothing.
template <class Call>
std::string thrownBy(Call call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something else";
  }
  return "";
}

// Infinite for matrices of different shapes.
inline float largestDifference(const Matrix& one, const Matrix& other) {
  if (one.rows != other.rows || one.columns != other.columns) return INFINITY;
  float largest = 0;
  for (size_t i = 0; i < one.data.size(); i++) {
    const float difference = std::abs(one.data[i] - other.data[i]);
    if (!(difference <= largest)) largest = difference;  // a NaN too
  }
  return largest;
}

}  // namespace parakeet::test

#define CHECK(condition) ::parakeet::test::report((condition), #condition, __FILE__, __LINE__)
#define CHECK_SAYING(condition, more) ::parakeet::test::report((condition), #condition, __FILE__, __LINE__, (more))
