#include "binding/decoder_wrap.h"

#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "binding/encoder_wrap.h"
#include "binding/session.h"
#include "binding/waiter.h"

namespace parakeet {
namespace {

// A decoder's encoder: any other object must be rejected.
EncoderWrap& encoderOf(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  const bool fits =
      value.IsObject() && value.As<Napi::Object>().InstanceOf(env.GetInstanceData<AddonData>()->encoder.Value());
  if (!fits) throw Napi::TypeError::New(env, "Expected a NativeEncoder");
  return *EncoderWrap::Unwrap(value.As<Napi::Object>());
}

}  // namespace

Napi::Function DecoderWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeDecoder",
                     {rejects<&DecoderWrap::decode>("decode"), rejects<&DecoderWrap::hearAgain>("hearAgain"),
                      rejects<&DecoderWrap::setBoost>("setBoost"), rejects<&DecoderWrap::save>("save"),
                      rejects<&DecoderWrap::load>("load"), rejects<&DecoderWrap::close>("close")});
}

DecoderWrap::DecoderWrap(const Napi::CallbackInfo& info) : Wrap(info), handle_(handleOf<DecoderHandle>(info)) {}
DecoderWrap::~DecoderWrap() { abandonHandle(std::move(handle_)); }

Napi::Value DecoderWrap::decode(const Napi::CallbackInfo& info) {
  const std::shared_ptr<EncoderHandle> encoder = encoderOf(info[0]).handle();
  const int ticket = info[1].As<Napi::Number>().Int32Value();
  const bool draft = info[2].As<Napi::Boolean>().Value();
  auto [promise, waiter] =
      waiterFor<Decoded>(info.Env(), handle_->flag(), [](Napi::Env env, const Decoded& decoded, double seconds) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("final", fromTokens(env, decoded.final));
        object.Set("draft", fromTokens(env, decoded.draft));
        object.Set("computeSeconds", seconds);
        return static_cast<Napi::Value>(object);
      });
  handle_->worker().post([handle = handle_, encoder, ticket, draft, waiter = std::move(waiter)]() mutable {
    Engine::instance().decodes().add({[handle] { return handle->stateIfOpen(); },
                                      [encoder, ticket] { return encoder->state().take(ticket); }, draft,
                                      std::move(waiter)});
  });
  return promise;
}

Napi::Value DecoderWrap::hearAgain(const Napi::CallbackInfo& info) {
  EncoderWrap& wrap = encoderOf(info[0]);
  wrap.handOver();  // it hears what came after the last step too
  const std::shared_ptr<EncoderHandle> encoder = wrap.handle();
  const int64_t from = info[1].As<Napi::Number>().Int64Value(), until = info[2].As<Napi::Number>().Int64Value();
  return runOn(info, handle_, [encoder, from, until, flag = handle_->flag()](DecoderSession& decoder) {
    Tokens tokens = decoder.hearAgain(encoder->state(), from, until, *flag);
    return Environment::Settle(
        [tokens = std::move(tokens)](Napi::Env env) -> Napi::Value { return fromTokens(env, tokens); });
  });
}

Napi::Value DecoderWrap::setBoost(const Napi::CallbackInfo& info) {
  return runOn(info, handle_, [boost = toBoostTree(info[0])](DecoderSession& decoder) {
    decoder.setBoost(boost);
    return Environment::Settle([](Napi::Env env) { return env.Undefined(); });
  });
}

Napi::Value DecoderWrap::save(const Napi::CallbackInfo& info) { return saveState(info, handle_); }
Napi::Value DecoderWrap::load(const Napi::CallbackInfo& info) { return loadState(info, handle_); }

Napi::Value DecoderWrap::close(const Napi::CallbackInfo& info) { return closeHandle(info.Env(), handle_); }

Napi::Object wrapDecoder(Napi::Env env, std::shared_ptr<DecoderHandle> handle) {
  return construct(env, env.GetInstanceData<AddonData>()->decoder, handle);
}

}  // namespace parakeet
