#include "binding/frames_wrap.h"

#include <string>
#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "error.h"

namespace parakeet {
namespace {

// Bytes that the garbage collector cannot see.
int64_t bytesOf(const Frames& frames) { return static_cast<int64_t>(frames->data.size() * sizeof(float)); }

}  // namespace

Napi::Function FramesWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeFrames", {getter<&FramesWrap::rows>("rows"), throws<&FramesWrap::data>("data")});
}

FramesWrap::FramesWrap(const Napi::CallbackInfo& info)
    : Wrap(info), frames_(*info[0].As<Napi::External<Frames>>().Data()) {
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytesOf(frames_));
}
FramesWrap::~FramesWrap() { Napi::MemoryManagement::AdjustExternalMemory(Env(), -bytesOf(frames_)); }

Napi::Value FramesWrap::rows(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), frames_->rows); }
Napi::Value FramesWrap::data(const Napi::CallbackInfo& info) { return fromFloats(info.Env(), frames_->data); }

Environment::Settle settleFrames(Matrix matrix) {
  return [frames = std::make_shared<const Matrix>(std::move(matrix))](Napi::Env env) mutable -> Napi::Value {
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
    frames = std::make_shared<const Matrix>(Matrix{std::move(floats), rows, features});
  }
  if (frames->data.size() != static_cast<size_t>(frames->rows) * features) {
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected frames of " + std::to_string(features) +
                                                     " mel features but received " +
                                                     std::to_string(frames->data.size()) + " values");
  }
  return frames;
}

}  // namespace parakeet
