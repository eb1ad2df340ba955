// Promises that a batch settles.
#pragma once

#include <napi.h>

#include <exception>
#include <memory>
#include <utility>

#include "binding/environment.h"
#include "engine/batcher.h"

namespace parakeet {

// A promise, and the waiter that settles it with a batch's result; `toValue` converts the result.
template <class Result, class ToValue>
std::pair<Napi::Promise, Waiter<Result>> waiterFor(Napi::Env env, const CancelFlagPtr& cancel, ToValue toValue) {
  auto [promise, deferred] = Environment::of(env)->defer(env, cancel);
  auto shared = std::make_shared<Environment::Deferred>(std::move(deferred));
  return {promise,
          {cancel, [shared] { return shared->begin(); },
           [shared, toValue](Result result, double seconds) {
             shared->resolve([result = std::move(result), seconds, toValue](Napi::Env inner) -> Napi::Value {
               return toValue(inner, result, seconds);
             });
           },
           [shared](std::exception_ptr failure) { shared->reject(std::move(failure)); }}};
}

}  // namespace parakeet
