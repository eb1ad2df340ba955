// JavaScript's NativeDecoder (src/engine/addon.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "binding/handle.h"
#include "binding/js_error.h"
#include "engine/decoder_session.h"

namespace parakeet {

using DecoderHandle = Handle<DecoderSession>;

class DecoderWrap : public Wrap<DecoderWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DecoderWrap(const Napi::CallbackInfo& info);
  ~DecoderWrap() override;

 private:
  Napi::Value decode(const Napi::CallbackInfo& info);
  Napi::Value hearAgain(const Napi::CallbackInfo& info);
  Napi::Value setBoost(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value load(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  std::shared_ptr<DecoderHandle> handle_;
};

Napi::Object wrapDecoder(Napi::Env env, std::shared_ptr<DecoderHandle> handle);

}  // namespace parakeet
