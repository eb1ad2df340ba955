// JavaScript's NativeMel (src/engine/addon.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "binding/handle.h"
#include "binding/js_error.h"
#include "engine/mel_session.h"

namespace parakeet {

using MelHandle = Handle<MelSession>;

class MelWrap : public Wrap<MelWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit MelWrap(const Napi::CallbackInfo& info);
  ~MelWrap() override;

 private:
  Napi::Value push(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value load(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  std::shared_ptr<MelHandle> handle_;
};

Napi::Object wrapMel(Napi::Env env, std::shared_ptr<MelHandle> handle);

}  // namespace parakeet
