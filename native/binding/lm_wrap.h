// JavaScript's NativeLanguageModel (src/engine/addon.ts): a language model that decoders may use.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/js_error.h"
#include "model/fusion.h"

namespace parakeet {

class LmWrap : public Wrap<LmWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit LmWrap(const Napi::CallbackInfo& info);

 private:
  friend std::shared_ptr<const Fusion> toFusion(const Napi::Value& value);
  Napi::Value order(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  std::shared_ptr<const lm::LanguageModel> model_;
  int vocabulary_;
};

// `openLanguageModel(path, vocabulary, hash)` of the addon.
Napi::Value openLanguageModel(const Napi::CallbackInfo& info);

// Of a NativeDecoding's `lm`; null for none.
std::shared_ptr<const Fusion> toFusion(const Napi::Value& value);

}  // namespace parakeet
