// The addon's exports: NativeAddon of src/engine/addon.ts.
#include <mlx/memory.h>
#include <napi.h>

#include <mutex>

#include "binding/addon_data.h"
#include "binding/alsa_messages.h"
#include "binding/convert.h"
#include "binding/decoder_wrap.h"
#include "binding/encoder_wrap.h"
#include "binding/frames_wrap.h"
#include "binding/js_error.h"
#include "binding/keep_loaded.h"
#include "binding/lm_builder_wrap.h"
#include "binding/lm_wrap.h"
#include "binding/mel_wrap.h"
#include "binding/model_wrap.h"
#include "binding/stored_weights.h"
#include "model/mutant.h"
#include "ops/device.h"
#include "ops/machine.h"
#include "ops/pool.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

Napi::Value cancel(const Napi::CallbackInfo& info) {
  Environment::of(info.Env())->cancelJob(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Value counts(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("models", Counted<ModelTag>::alive().load());
  object.Set("sessions", Counted<SessionTag>::alive().load());
  object.Set("queued", static_cast<double>(Engine::instance().queued()));
  object.Set("calls", static_cast<double>(Environment::of(info.Env())->outstanding()));
  return object;
}

Napi::Value batches(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  const BatchCounts& counts = Engine::instance().batchCounts();
  object.Set("batches", static_cast<double>(counts.batches));
  object.Set("steps", static_cast<double>(counts.steps));
  object.Set("frames", static_cast<double>(counts.frames));
  object.Set("recordingBatches", static_cast<double>(counts.recordingBatches));
  object.Set("recordings", static_cast<double>(counts.recordings));
  return object;
}

Napi::Value setBatchFrames(const Napi::CallbackInfo& info) {
  Engine::instance().setBatchFrames(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("active", static_cast<double>(mlx::core::get_active_memory()));
  object.Set("cache", static_cast<double>(mlx::core::get_cache_memory()));
  object.Set("cacheLimit", static_cast<double>(engineLimits().cache));
  object.Set("peak", static_cast<double>(mlx::core::get_peak_memory()));
  return object;
}

// Decides which device computes, for the process: the first call does. Returns the one that was decided on.
Napi::Value useDevice(const Napi::CallbackInfo& info) {
  const std::string wanted = info[0].As<Napi::String>().Utf8Value();
  static std::once_flag once;
  std::call_once(once, [&] {
    ops::useGpu(wanted == "auto" ? ops::gpuAvailable() : wanted == "gpu");
    Engine& engine = Engine::instance();
    engine.inference().post([&engine] { engine.useLimitsOfDevice(); });
  });
  return Napi::String::New(info.Env(), ops::onGpu() ? "gpu" : "cpu");
}

// The GPU that could compute, or null.
Napi::Value gpu(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!ops::gpuAvailable()) return env.Null();
  const ops::GpuFacts facts = ops::gpuFacts();
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", facts.name);
  object.Set("memory", static_cast<double>(facts.memory));
  return object;
}

Napi::Value build(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object object = Napi::Object::New(env);
  object.Set("mlx", PARAKEET_MLX_VERSION);
  const ops::Machine machine = ops::machine();
  const auto orNull = [&](const std::optional<std::string>& text) {
    return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
  };
  object.Set("onednn", orNull(machine.library));
  object.Set("instructions", orNull(machine.instructions));
  object.Set("backend", machine.backend);
  const auto backends = ops::backends();
  Napi::Array names = Napi::Array::New(env, backends.size());
  for (uint32_t i = 0; i < backends.size(); i++) names.Set(i, Napi::String::New(env, backends[i]));
  object.Set("backends", names);
  object.Set("nativeBfloat16", machine.nativeBfloat16);
  object.Set("byteProducts", machine.byteProducts);
  object.Set("mutant",
             activeMutant().empty() ? env.Null() : Napi::Value(Napi::String::New(env, std::string(activeMutant()))));
  return object;
}

// Starts the pool: not before a model has said how many threads it wants.
Napi::Value threads(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), ops::poolThreads()); }

Napi::Value profile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info[0].IsBoolean()) {
    ops::profile(info[0].As<Napi::Boolean>().Value());
    return env.Undefined();
  }
  Napi::Object object = Napi::Object::New(env);
  const auto seconds = ops::profiled();
  for (size_t i = 0; i < seconds.size(); i++) object.Set(ops::partNames[i], seconds[i]);
  return object;
}

Napi::Value productSpeed(const Napi::CallbackInfo& info) {
  const ops::DType dtype = toDType(info[0]);
  const auto number = [&](int i) { return info[i].As<Napi::Number>(); };
  const int rows = number(1).Int32Value(), inputs = number(2).Int32Value(), outputs = number(3).Int32Value();
  const double seconds = number(4).DoubleValue();
  const auto environment = Environment::of(info.Env());
  return environment->run(info.Env(), Engine::instance().inference(), environment->jobFlag(0),
                          [=]() -> Environment::Settle {
                            const double speed = ops::productSpeed(dtype, rows, inputs, outputs, seconds);
                            return [speed](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, speed); };
                          });
}

Napi::Value quietAlsa(const Napi::CallbackInfo& info) {
  silenceAlsa();
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  try {
    keepLoaded();
    ops::prepareDevices();
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
  auto* data = new AddonData{Environment::create(env), {}, {}, {}, {}, {}, {}, {}, {}};
  env.SetInstanceData(data);
  data->model = Napi::Persistent(ModelWrap::define(env));
  data->frames = Napi::Persistent(FramesWrap::define(env));
  data->mel = Napi::Persistent(MelWrap::define(env));
  data->encoder = Napi::Persistent(EncoderWrap::define(env));
  data->decoder = Napi::Persistent(DecoderWrap::define(env));
  data->languageModel = Napi::Persistent(LmWrap::define(env));
  data->lmBuilder = Napi::Persistent(LmBuilderWrap::define(env));
  exports.Set("makeErrorsWith", Napi::Function::New<throwing<makeErrorsWith>>(env));
  exports.Set("loadModel", Napi::Function::New<rejecting<loadModel>>(env));
  exports.Set("openLanguageModel", Napi::Function::New<throwing<openLanguageModel>>(env));
  exports.Set("createLmBuilder", Napi::Function::New<throwing<createLmBuilder>>(env));
  exports.Set("cancel", Napi::Function::New<throwing<cancel>>(env));
  exports.Set("counts", Napi::Function::New<throwing<counts>>(env));
  exports.Set("batches", Napi::Function::New<throwing<batches>>(env));
  exports.Set("setBatchFrames", Napi::Function::New<throwing<setBatchFrames>>(env));
  exports.Set("memory", Napi::Function::New<throwing<memory>>(env));
  exports.Set("profile", Napi::Function::New<throwing<profile>>(env));
  exports.Set("quantizeFourBits", Napi::Function::New<throwing<quantizeFourBits>>(env));
  exports.Set("packedShape", Napi::Function::New<throwing<packedShape>>(env));
  exports.Set("packWeights", Napi::Function::New<throwing<packWeights>>(env));
  exports.Set("productSpeed", Napi::Function::New<rejecting<productSpeed>>(env));
  exports.Set("silenceAlsa", Napi::Function::New<throwing<quietAlsa>>(env));
  exports.Set("useDevice", Napi::Function::New<throwing<useDevice>>(env));
  exports.Set("gpu", Napi::Function::New<throwing<gpu>>(env));
  exports.Set("build", Napi::Function::New<throwing<build>>(env));
  exports.Set("threads", Napi::Function::New<throwing<threads>>(env));
  return exports;
}

}  // namespace
}  // namespace parakeet

using parakeet::init;
NODE_API_MODULE(parakeet, init)
