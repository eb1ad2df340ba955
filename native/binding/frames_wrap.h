// JavaScript's NativeFrames (src/engine/addon.ts): log-mel frames that stay native on their way from one session to the
// next.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/environment.h"
#include "binding/js_error.h"
#include "engine/mel_frames.h"

namespace parakeet {

// Shared with the engine's queue; never changed.
using Frames = std::shared_ptr<const MelFrames>;

class FramesWrap : public Wrap<FramesWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit FramesWrap(const Napi::CallbackInfo& info);
  ~FramesWrap() override;

 private:
  friend Frames toFrames(const Napi::Value& value, int features);
  Napi::Value rows(const Napi::CallbackInfo& info);
  Napi::Value changes(const Napi::CallbackInfo& info);
  Napi::Value data(const Napi::CallbackInfo& info);
  Frames frames_;
};

// For Environment::run: makes the object on Node's thread.
Environment::Settle settleFrames(MelFrames frames);

// From a NativeFrames, without a copy, or from a Float32Array. Throws ERR_PARAKEET_INVALID_ARGUMENT for frames that do
// not have so many features.
Frames toFrames(const Napi::Value& value, int features);

}  // namespace parakeet
