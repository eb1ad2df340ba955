// JavaScript's NativeModel (src/engine/addon.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "binding/handle.h"
#include "binding/js_error.h"
#include "binding/weak_list.h"
#include "engine/counted.h"
#include "model/model.h"

namespace parakeet {

struct LoadedModel : Counted<ModelTag> {
  LoadedModel(ModelConfig config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel)
      : model(std::move(config), weights, dtype, cancel) {}
  Model model;
};
using ModelHandle = Handle<LoadedModel>;

class ModelWrap : public Wrap<ModelWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ModelWrap(const Napi::CallbackInfo& info);
  ~ModelWrap() override;

 private:
  Napi::Value logMel(const Napi::CallbackInfo& info);
  Napi::Value normalize(const Napi::CallbackInfo& info);
  Napi::Value encode(const Napi::CallbackInfo& info);
  Napi::Value decode(const Napi::CallbackInfo& info);
  Napi::Value transcribe(const Napi::CallbackInfo& info);
  Napi::Value recognizeMel(const Napi::CallbackInfo& info);
  Napi::Value createMel(const Napi::CallbackInfo& info);
  Napi::Value createEncoder(const Napi::CallbackInfo& info);
  Napi::Value createDecoder(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  template <class State>
  std::shared_ptr<Handle<State>> open(Napi::Env env, Worker& worker, std::function<std::unique_ptr<State>()> make);

  std::shared_ptr<ModelHandle> handle_;
  // Read by Node's thread; the rest of the model belongs to the engine's.
  std::shared_ptr<const MelFilters> filters_;
  EncoderConfig encoder_;
  bool closed_ = false;
  WeakList<Resource> sessions_;
};

// loadModel(config, tensors, options): Promise<NativeModel>.
Napi::Value loadModel(const Napi::CallbackInfo& info);

}  // namespace parakeet
