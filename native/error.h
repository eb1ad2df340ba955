// The one exception type of the engine: a stable code and a message that says what was expected and what came.
// Not for programming mistakes inside the engine; those stay std::logic_error.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace parakeet {

class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

// Thrown by running work once it has been cancelled.
class Aborted : public Error {
 public:
  Aborted() : Error("ERR_PARAKEET_ABORTED", "The operation was aborted") {}
};

}  // namespace parakeet
