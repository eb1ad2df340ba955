#include "binding/sessions_wrap.h"

#include <algorithm>
#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "binding/waiter.h"

namespace parakeet {
namespace {

// A constructor's first argument: a pointer to the shared pointer of its handle, for the time of the call.
template <class Handle>
std::shared_ptr<Handle> handleOf(const Napi::CallbackInfo& info) {
  return *info[0].As<Napi::External<std::shared_ptr<Handle>>>().Data();
}

template <class Handle>
Napi::Object construct(Napi::Env env, const Napi::FunctionReference& constructor, std::shared_ptr<Handle>& handle,
                       std::vector<napi_value> more = {}) {
  Environment::of(env)->track(handle);
  std::vector<napi_value> arguments{Napi::External<std::shared_ptr<Handle>>::New(env, &handle)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return constructor.New(arguments);
}

// Runs `work(state)` on the handle's worker; `settle` turns what it gives into a value.
template <class Handle, class Work>
Napi::Value runOn(const Napi::CallbackInfo& info, const std::shared_ptr<Handle>& handle, Work work) {
  return Environment::of(info.Env())
      ->run(info.Env(), handle->worker(), handle->flag(),
            [handle, work = std::move(work)] { return work(handle->state()); });
}

// A session's state as bytes, and back.
template <class Handle>
Napi::Value saveState(const Napi::CallbackInfo& info, const std::shared_ptr<Handle>& handle) {
  return runOn(info, handle, [](auto& session) -> Environment::Settle {
    ArchiveWriter archive;
    session.save(archive);
    return [bytes = archive.take()](Napi::Env env) -> Napi::Value {
      Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
      std::copy(bytes.begin(), bytes.end(), array.Data());
      return array;
    };
  });
}

template <class Handle>
Napi::Value loadState(const Napi::CallbackInfo& info, const std::shared_ptr<Handle>& handle) {
  const auto array = info[0].As<Napi::Uint8Array>();
  return runOn(info, handle,
               [bytes = std::vector<uint8_t>(array.Data(), array.Data() + array.ByteLength())](auto& session) {
                 ArchiveReader archive(bytes.data(), bytes.size());
                 session.load(archive);
                 archive.finish();
                 return Environment::Settle();
               });
}

// A decoder's encoder: another object in its place must not be taken for one.
std::shared_ptr<EncoderHandle> encoderOf(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  const bool fits =
      value.IsObject() && value.As<Napi::Object>().InstanceOf(env.GetInstanceData<AddonData>()->encoder.Value());
  if (!fits) throw Napi::TypeError::New(env, "Expected a NativeEncoder");
  return EncoderWrap::Unwrap(value.As<Napi::Object>())->handle();
}

}  // namespace

// ---- NativeMel

Napi::Function MelWrap::define(Napi::Env env) {
  return DefineClass(
      env, "NativeMel",
      {rejects<&MelWrap::push>("push"), rejects<&MelWrap::finish>("finish"), rejects<&MelWrap::save>("save"),
       rejects<&MelWrap::load>("load"), rejects<&MelWrap::close>("close")});
}

MelWrap::MelWrap(const Napi::CallbackInfo& info) : Wrap(info), handle_(handleOf<MelHandle>(info)) {}
MelWrap::~MelWrap() { abandonHandle(std::move(handle_)); }

Napi::Value MelWrap::push(const Napi::CallbackInfo& info) {
  return runOn(info, handle_,
               [samples = toFloats(info[0])](MelSession& mel) { return settleMatrix(mel.push(samples)); });
}

Napi::Value MelWrap::finish(const Napi::CallbackInfo& info) {
  return runOn(info, handle_, [flush = info[0].As<Napi::Number>().Uint32Value()](MelSession& mel) {
    return settleMatrix(mel.finish(flush));
  });
}

Napi::Value MelWrap::save(const Napi::CallbackInfo& info) { return saveState(info, handle_); }
Napi::Value MelWrap::load(const Napi::CallbackInfo& info) { return loadState(info, handle_); }

Napi::Value MelWrap::close(const Napi::CallbackInfo& info) { return closeHandle(info.Env(), handle_); }

Napi::Object wrapMel(Napi::Env env, std::shared_ptr<MelHandle> handle) {
  return construct(env, env.GetInstanceData<AddonData>()->mel, handle);
}

// ---- NativeEncoder

Napi::Function EncoderWrap::define(Napi::Env env) {
  return DefineClass(
      env, "NativeEncoder",
      {throws<&EncoderWrap::push>("push"), throws<&EncoderWrap::finish>("finish"), throws<&EncoderWrap::flush>("flush"),
       rejects<&EncoderWrap::step>("step"), rejects<&EncoderWrap::save>("save"), rejects<&EncoderWrap::load>("load"),
       rejects<&EncoderWrap::close>("close")});
}

EncoderWrap::EncoderWrap(const Napi::CallbackInfo& info)
    : Wrap(info),
      handle_(handleOf<EncoderHandle>(info)),
      features_(info[1].As<Napi::Number>().Int32Value()),
      grid_(std::make_shared<StepGrid>(*info[2].As<Napi::External<StepGrid>>().Data())) {}
EncoderWrap::~EncoderWrap() { abandonHandle(std::move(handle_)); }

Napi::Value EncoderWrap::push(const Napi::CallbackInfo& info) {
  std::vector<float> logMel = toFloats(info[0]);
  const int frames = static_cast<int>(logMel.size()) / features_;
  if (logMel.size() % features_ != 0) {
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected frames of " + std::to_string(features_) +
                                                     " mel features but received " + std::to_string(logMel.size()) +
                                                     " values");
  }
  grid_->push(frames);
  handle_->worker().post([handle = handle_, logMel = std::move(logMel), frames] {
    if (handle->open()) handle->state().stream().push(logMel.data(), frames);
  });
  return info.Env().Undefined();
}

Napi::Value EncoderWrap::finish(const Napi::CallbackInfo& info) {
  const int64_t samples = info[0].As<Napi::Number>().Int64Value();
  grid_->end();
  handle_->worker().post([handle = handle_, samples] {
    if (handle->open()) handle->state().stream().finish(samples);
  });
  return info.Env().Undefined();
}

Napi::Value EncoderWrap::flush(const Napi::CallbackInfo& info) {
  const int silence = info[0].As<Napi::Number>().Int32Value();
  grid_->end();
  handle_->worker().post([handle = handle_, silence] {
    if (handle->open()) handle->state().stream().flush(silence);
  });
  return info.Env().Undefined();
}

Napi::Value EncoderWrap::step(const Napi::CallbackInfo& info) {
  // What is closed is asked, so that it says so.
  if (!grid_->due() && !handle_->flag()->cancelled()) return info.Env().Null();
  auto [promise, waiter] = waiterFor<std::optional<Ticket>>(
      info.Env(), handle_->flag(),
      [grid = grid_, ends = grid_->ends()](Napi::Env env, const std::optional<Ticket>& ticket, double seconds) {
        if (!ticket) {
          grid->noStep(ends);
          return env.Null();
        }
        grid->stepped(ticket->firstFrame + ticket->final);
        Napi::Object object = Napi::Object::New(env);
        object.Set("ticket", ticket->number);
        object.Set("firstFrame", static_cast<double>(ticket->firstFrame));
        object.Set("final", static_cast<double>(ticket->final));
        object.Set("draft", static_cast<double>(ticket->draft));
        object.Set("computeSeconds", seconds);
        object.Set("grown", static_cast<double>(ticket->grown));
        object.Set("batch", ticket->batch);
        Napi::Array changes = Napi::Array::New(env, ticket->changes.size());
        for (uint32_t i = 0; i < ticket->changes.size(); i++) {
          Napi::Object change = Napi::Object::New(env);
          change.Set("melFrame", static_cast<double>(ticket->changes[i].frame));
          change.Set("speech", ticket->changes[i].speech);
          changes.Set(i, change);
        }
        object.Set("changes", changes);
        return static_cast<Napi::Value>(object);
      });
  handle_->worker().post([handle = handle_, waiter = std::move(waiter)]() mutable {
    Engine::instance().steps().add({[handle] { return handle->stateIfOpen(); }, std::move(waiter)});
  });
  return promise;
}

Napi::Value EncoderWrap::save(const Napi::CallbackInfo& info) { return saveState(info, handle_); }
Napi::Value EncoderWrap::load(const Napi::CallbackInfo& info) {
  grid_->restore();
  return loadState(info, handle_);
}

Napi::Value EncoderWrap::close(const Napi::CallbackInfo& info) { return closeHandle(info.Env(), handle_); }

Napi::Object wrapEncoder(Napi::Env env, std::shared_ptr<EncoderHandle> handle, int features, StepGrid grid) {
  return construct(env, env.GetInstanceData<AddonData>()->encoder, handle,
                   {Napi::Number::New(env, features), Napi::External<StepGrid>::New(env, &grid)});
}

// ---- NativeDecoder

Napi::Function DecoderWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeDecoder",
                     {rejects<&DecoderWrap::decode>("decode"), rejects<&DecoderWrap::hearAgain>("hearAgain"),
                      rejects<&DecoderWrap::setBoost>("setBoost"), rejects<&DecoderWrap::save>("save"),
                      rejects<&DecoderWrap::load>("load"), rejects<&DecoderWrap::close>("close")});
}

DecoderWrap::DecoderWrap(const Napi::CallbackInfo& info) : Wrap(info), handle_(handleOf<DecoderHandle>(info)) {}
DecoderWrap::~DecoderWrap() { abandonHandle(std::move(handle_)); }

Napi::Value DecoderWrap::decode(const Napi::CallbackInfo& info) {
  const std::shared_ptr<EncoderHandle> encoder = encoderOf(info[0]);
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
  const std::shared_ptr<EncoderHandle> encoder = encoderOf(info[0]);
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
