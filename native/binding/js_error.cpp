#include "binding/js_error.h"

#include <string>

#include "binding/addon_data.h"
#include "error.h"

namespace parakeet {

Napi::Value makeErrorsWith(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "Expected a function that makes errors");
  info.Env().GetInstanceData<AddonData>()->makeError = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value toJsError(Napi::Env env, const std::exception_ptr& failure) {
  std::string code = "ERR_PARAKEET_ENGINE", message = "The engine failed";
  Napi::Value cause = env.Undefined();
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    code = error.code();
    message = error.what();
  } catch (const Napi::Error& error) {
    message += ": " + error.Message();
    cause = error.Value();
  } catch (const std::exception& error) {
    message += std::string(": ") + error.what();
  } catch (...) {
  }
  const Napi::FunctionReference& make = env.GetInstanceData<AddonData>()->makeError;
  if (!make.IsEmpty()) {
    try {
      return make.Call({Napi::String::New(env, code), Napi::String::New(env, message), cause});
    } catch (const Napi::Error&) {
      // A failure must be reported even if its error cannot be made as intended: the promise would stay pending.
    }
  }
  const Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  return error.Value();
}

void throwJsError(Napi::Env env, const std::exception_ptr& failure) { throw Napi::Error(env, toJsError(env, failure)); }

Napi::Value rejectedWith(Napi::Env env, const std::exception_ptr& failure) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Reject(toJsError(env, failure));
  return deferred.Promise();
}

}  // namespace parakeet
