// JavaScript's NativeMel, NativeEncoder and NativeDecoder (src/engine/addon.ts).
#pragma once

#include <napi.h>

#include "binding/handle.h"
#include "binding/js_error.h"
#include "engine/sessions.h"
#include "engine/step_grid.h"

namespace parakeet {

using MelHandle = Handle<MelSession>;
using EncoderHandle = Handle<EncoderSession>;
using DecoderHandle = Handle<DecoderSession>;

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

class EncoderWrap : public Wrap<EncoderWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EncoderWrap(const Napi::CallbackInfo& info);
  ~EncoderWrap() override;
  const std::shared_ptr<EncoderHandle>& handle() const { return handle_; }

 private:
  Napi::Value push(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);
  Napi::Value flush(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value load(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  std::shared_ptr<EncoderHandle> handle_;
  int features_ = 1;
  std::shared_ptr<StepGrid> grid_;
};

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

// Makes the JavaScript objects around new handles.
Napi::Object wrapMel(Napi::Env env, std::shared_ptr<MelHandle> handle);
Napi::Object wrapEncoder(Napi::Env env, std::shared_ptr<EncoderHandle> handle, int features, StepGrid grid);
Napi::Object wrapDecoder(Napi::Env env, std::shared_ptr<DecoderHandle> handle);

}  // namespace parakeet
