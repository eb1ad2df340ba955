// What the wrapped sessions have in common: how they are made, run on their threads, and saved.
#pragma once

#include <napi.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "binding/handle.h"
#include "model/archive.h"

namespace parakeet {

// A constructor's first argument: a pointer to the shared pointer of its handle, for the time of the call.
template <class Handle>
std::shared_ptr<Handle> handleOf(const Napi::CallbackInfo& info) {
  return *info[0].As<Napi::External<std::shared_ptr<Handle>>>().Data();
}

// Makes the JavaScript object around a new handle.
template <class Handle>
Napi::Object construct(Napi::Env env, const Napi::FunctionReference& constructor, std::shared_ptr<Handle>& handle,
                       std::vector<napi_value> more = {}) {
  Environment::of(env)->track(handle);
  std::vector<napi_value> arguments{Napi::External<std::shared_ptr<Handle>>::New(env, &handle)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return constructor.New(arguments);
}

// Runs `work(state)` on the handle's worker; `settle` converts its result to a value.
template <class Handle, class Work>
Napi::Value runOn(const Napi::CallbackInfo& info, const std::shared_ptr<Handle>& handle, Work work) {
  handle->asked();
  return Environment::of(info.Env())
      ->run(info.Env(), handle->worker(), handle->flag(), [handle, work = std::move(work)] {
        return [handle, settle = Environment::Settle(work(handle->state()))](Napi::Env env) {
          handle->answered();
          return settle ? settle(env) : env.Undefined();
        };
      });
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

// `loaded(session)` returns what is then done on Node's thread.
template <class Handle, class Loaded>
Napi::Value loadState(const Napi::CallbackInfo& info, const std::shared_ptr<Handle>& handle, Loaded loaded) {
  const auto array = info[0].As<Napi::Uint8Array>();
  return runOn(info, handle,
               [bytes = std::vector<uint8_t>(array.Data(), array.Data() + array.ByteLength()),
                loaded = std::move(loaded)](auto& session) -> Environment::Settle {
                 ArchiveReader archive(bytes.data(), bytes.size());
                 session.load(archive);
                 archive.finish();
                 return loaded(session);
               });
}

template <class Handle>
Napi::Value loadState(const Napi::CallbackInfo& info, const std::shared_ptr<Handle>& handle) {
  return loadState(info, handle, [](auto&) { return Environment::Settle(); });
}

}  // namespace parakeet
