#include "binding/frames_wrap.h"

#include <string>
#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "error.h"

namespace parakeet {
namespace {

// Bytes that the garbage collector cannot see.
int64_t bytesOf(const Frames& frames) { return static_cast<int64_t>(frames->logMel.data.size() * sizeof(float)); }

}  // namespace

Napi::Function FramesWrap::define(Napi::Env env) {
  return DefineClass(
      env, "NativeFrames",
      {getter<&FramesWrap::rows>("rows"), getter<&FramesWrap::changes>("changes"), throws<&FramesWrap::data>("data")});
}

FramesWrap::FramesWrap(const Napi::CallbackInfo& info)
    : Wrap(info), frames_(*info[0].As<Napi::External<Frames>>().Data()) {
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytesOf(frames_));
}
FramesWrap::~FramesWrap() { Napi::MemoryManagement::AdjustExternalMemory(Env(), -bytesOf(frames_)); }

Napi::Value FramesWrap::rows(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), frames_->logMel.rows);
}
Napi::Value FramesWrap::data(const Napi::CallbackInfo& info) { return fromFloats(info.Env(), frames_->logMel.data); }

Napi::Value FramesWrap::changes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<SpeechChange>& changes = frames_->changes;
  // Most frames decide nothing.
  if (changes.empty()) return env.Undefined();
  Napi::Array array = Napi::Array::New(env, changes.size());
  for (uint32_t i = 0; i < changes.size(); i++) {
    Napi::Object change = Napi::Object::New(env);
    change.Set("melFrame", static_cast<double>(changes[i].frame));
    change.Set("speech", changes[i].speech);
    array.Set(i, change);
  }
  return array;
}

Environment::Settle settleFrames(MelFrames melFrames) {
  return [frames = std::make_shared<const MelFrames>(std::move(melFrames))](Napi::Env env) mutable -> Napi::Value {
    return env.GetInstanceData<AddonData>()->frames.New({Napi::External<Frames>::New(env, &frames)});
  };
}

Frames toFrames(const Napi::Value& value, int features) {
  Frames frames;
  const auto* data = value.Env().GetInstanceData<AddonData>();
  if (value.IsObject() && value.As<Napi::Object>().InstanceOf(data->frames.Value())) {
    frames = FramesWrap::Unwrap(value.As<Napi::Object>())->frames_;
  } else {
    std::vector<float> floats = toFloats(value);
    const int rows = static_cast<int>(floats.size()) / features;
    frames = std::make_shared<const MelFrames>(MelFrames{{std::move(floats), rows, features}, {}, {}});
  }
  const Matrix& logMel = frames->logMel;
  if (logMel.data.size() != static_cast<size_t>(logMel.rows) * features) {
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected frames of " + std::to_string(features) +
                                                     " mel features but received " +
                                                     std::to_string(logMel.data.size()) + " values");
  }
  return frames;
}

}  // namespace parakeet
