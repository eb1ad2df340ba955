// JavaScript's NativeEncoder (src/engine/addon.ts).
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "binding/frames_wrap.h"
#include "binding/handle.h"
#include "binding/js_error.h"
#include "engine/encoder_session.h"
#include "engine/step_grid.h"

namespace parakeet {

using EncoderHandle = Handle<EncoderSession>;

class EncoderWrap : public Wrap<EncoderWrap> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EncoderWrap(const Napi::CallbackInfo& info);
  ~EncoderWrap() override;
  const std::shared_ptr<EncoderHandle>& handle() const { return handle_; }
  // Gives the engine the frames that it was not given yet. Most pushes make no step due, and then they wait here:
  // waking the engine's thread for each of them would cost more than the frames.
  void handOver();

 private:
  Napi::Value push(const Napi::CallbackInfo& info);
  Napi::Value finish(const Napi::CallbackInfo& info);
  Napi::Value flush(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value load(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  // Runs `work(session)` on the engine's thread, unless it is closed by then.
  template <class Work>
  void post(Work work);
  std::shared_ptr<EncoderHandle> handle_;
  int features_ = 1;
  std::shared_ptr<StepGrid> grid_;
  std::vector<Frames> waiting_;
};

Napi::Object wrapEncoder(Napi::Env env, std::shared_ptr<EncoderHandle> handle, int features, StepGrid grid);

}  // namespace parakeet
