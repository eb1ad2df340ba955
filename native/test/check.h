// Checks of the test program: a failed one is printed with its place and counted; the program goes on.
#pragma once

#include <cstdio>
#include <exception>
#include <string>

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

}  // namespace parakeet::test

#define CHECK(condition) ::parakeet::test::report((condition), #condition, __FILE__, __LINE__)
#define CHECK_SAYING(condition, more) ::parakeet::test::report((condition), #condition, __FILE__, __LINE__, (more))
