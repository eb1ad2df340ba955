// Native failures as errors of the classes in src/errors.ts, whether a call throws them or its promise rejects with
// them. Which code belongs to which class is decided in src/engine/native-error.ts.
#pragma once

#include <napi.h>

#include <exception>

namespace parakeet {

// Keeps JavaScript's `make(code, message, cause)` for this environment; until then errors are plain ones with a `code`.
Napi::Value makeErrorsWith(const Napi::CallbackInfo& info);

// On Node's thread. What node-addon-api itself throws (for example for a wrong argument type) becomes the cause of
// an ERR_PARAKEET_ENGINE.
Napi::Value toJsError(Napi::Env env, const std::exception_ptr& failure);

// Throws `failure` as toJsError() makes it.
[[noreturn]] void throwJsError(Napi::Env env, const std::exception_ptr& failure);
// A promise that is rejected with it.
Napi::Value rejectedWith(Napi::Env env, const std::exception_ptr& failure);

using Callback = Napi::Value (*)(const Napi::CallbackInfo&);

// An exported function whose failures are typed: `throwing` for functions that return a value, `rejecting` for those
// that return a promise.
template <Callback callback>
Napi::Value throwing(const Napi::CallbackInfo& info) {
  try {
    return callback(info);
  } catch (...) {
    throwJsError(info.Env(), std::current_exception());
  }
}

template <Callback callback>
Napi::Value rejecting(const Napi::CallbackInfo& info) {
  try {
    return callback(info);
  } catch (...) {
    return rejectedWith(info.Env(), std::current_exception());
  }
}

// The same for the methods of a wrapped object: the base of every class that JavaScript sees.
template <class Derived>
class Wrap : public Napi::ObjectWrap<Derived> {
 public:
  using Napi::ObjectWrap<Derived>::ObjectWrap;

 protected:
  using Method = Napi::Value (Derived::*)(const Napi::CallbackInfo&);

  template <Method method>
  static Napi::ClassPropertyDescriptor<Derived> throws(const char* name) {
    return Wrap::InstanceMethod(name, static_cast<Method>(&Wrap::template callThrowing<method>));
  }
  template <Method method>
  static Napi::ClassPropertyDescriptor<Derived> rejects(const char* name) {
    return Wrap::InstanceMethod(name, static_cast<Method>(&Wrap::template callRejecting<method>));
  }
  template <Method method>
  static Napi::ClassPropertyDescriptor<Derived> getter(const char* name) {
    return Wrap::InstanceAccessor(name, static_cast<Method>(&Wrap::template callThrowing<method>), nullptr);
  }

 private:
  template <Method method>
  Napi::Value callThrowing(const Napi::CallbackInfo& info) {
    try {
      return (static_cast<Derived*>(this)->*method)(info);
    } catch (...) {
      throwJsError(info.Env(), std::current_exception());
    }
  }
  template <Method method>
  Napi::Value callRejecting(const Napi::CallbackInfo& info) {
    try {
      return (static_cast<Derived*>(this)->*method)(info);
    } catch (...) {
      return rejectedWith(info.Env(), std::current_exception());
    }
  }
};

}  // namespace parakeet
