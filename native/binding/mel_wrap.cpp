#include "binding/mel_wrap.h"

#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "binding/frames_wrap.h"
#include "binding/session.h"

namespace parakeet {
namespace {

// Samples of which the frames take less time than waking a thread for them and coming back does; no more of them are
// heard on Node's thread, which has other things to do.
constexpr size_t few = 4800;

}  // namespace

Napi::Function MelWrap::define(Napi::Env env) {
  return DefineClass(
      env, "NativeMel",
      {rejects<&MelWrap::push>("push"), rejects<&MelWrap::finish>("finish"), rejects<&MelWrap::save>("save"),
       rejects<&MelWrap::load>("load"), rejects<&MelWrap::close>("close")});
}

MelWrap::MelWrap(const Napi::CallbackInfo& info) : Wrap(info), handle_(handleOf<MelHandle>(info)) {}
MelWrap::~MelWrap() { abandonHandle(std::move(handle_)); }

Napi::Value MelWrap::push(const Napi::CallbackInfo& info) {
  std::vector<float> samples = toFloats(info[0]);
  if (samples.size() <= few && handle_->idle()) return settleFrames(handle_->state().push(samples))(info.Env());
  return runOn(info, handle_,
               [samples = std::move(samples)](MelSession& mel) { return settleFrames(mel.push(samples)); });
}

Napi::Value MelWrap::finish(const Napi::CallbackInfo& info) {
  return runOn(info, handle_, [flush = info[0].As<Napi::Number>().Uint32Value()](MelSession& mel) {
    return settleFrames(mel.finish(flush));
  });
}

Napi::Value MelWrap::save(const Napi::CallbackInfo& info) { return saveState(info, handle_); }
Napi::Value MelWrap::load(const Napi::CallbackInfo& info) { return loadState(info, handle_); }

Napi::Value MelWrap::close(const Napi::CallbackInfo& info) { return closeHandle(info.Env(), handle_); }

Napi::Object wrapMel(Napi::Env env, std::shared_ptr<MelHandle> handle) {
  return construct(env, env.GetInstanceData<AddonData>()->mel, handle);
}

}  // namespace parakeet
