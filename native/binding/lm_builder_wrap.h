// JavaScript's NativeLmBuilder (src/engine/addon.ts): a language model that is being made, on a thread of its own.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/handle.h"
#include "binding/js_error.h"
#include "lm/gram_table.h"
#include "lm/window_counts.h"

namespace parakeet {

struct LmBuilder {
  uint32_t vocabulary;
  int order;
  lm::WindowCounts windows;
  lm::GramTable grams;
};
using LmBuilderHandle = Handle<LmBuilder>;

class LmBuilderWrap : public Wrap<LmBuilderWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit LmBuilderWrap(const Napi::CallbackInfo& info);
  ~LmBuilderWrap() override;

 private:
  Napi::Value addText(const Napi::CallbackInfo& info);
  Napi::Value addGrams(const Napi::CallbackInfo& info);
  Napi::Value estimate(const Napi::CallbackInfo& info);
  Napi::Value assemble(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  std::shared_ptr<LmBuilderHandle> handle_;
};

// `createLmBuilder(vocabulary, order)` of the addon.
Napi::Value createLmBuilder(const Napi::CallbackInfo& info);

}  // namespace parakeet
