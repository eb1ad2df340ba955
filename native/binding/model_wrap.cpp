#include "binding/model_wrap.h"

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "binding/decoder_wrap.h"
#include "binding/encoder_wrap.h"
#include "binding/mel_wrap.h"
#include "binding/waiter.h"
#include "engine/buffered_encoder.h"
#include "engine/cache_aware_encoder.h"
#include "model/log_mel.h"
#include "ops/pool.h"

namespace parakeet {
namespace {

Matrix toMatrix(const Napi::Value& data, const Napi::Value& rows) {
  Matrix matrix{toFloats(data), rows.As<Napi::Number>().Int32Value(), 0};
  matrix.columns = matrix.rows > 0 ? static_cast<int>(matrix.data.size()) / matrix.rows : 0;
  if (matrix.rows < 0 || static_cast<size_t>(matrix.rows) * matrix.columns != matrix.data.size()) {
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected whole rows but received " +
                                                     std::to_string(matrix.data.size()) + " values in " +
                                                     std::to_string(matrix.rows) + " rows");
  }
  return matrix;
}

// Tokens of the features that `listen` computes, batched with other waiting requests.
Napi::Value recognize(const Napi::CallbackInfo& info, const Napi::Object& options,
                      const std::shared_ptr<ModelHandle>& handle, int frames,
                      std::function<Heard(const CancelFlag&)> listen) {
  const CancelFlagPtr flag = Environment::of(info.Env())->jobFlag(options.Get("job").As<Napi::Number>().Int32Value());
  auto [promise, waiter] = waiterFor<Tokens>(info.Env(), flag, [](Napi::Env env, const Tokens& tokens, double seconds) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("tokens", fromTokens(env, tokens));
    result.Set("computeSeconds", seconds);
    return static_cast<Napi::Value>(result);
  });
  RecordingRequest request{[handle]() -> const Model& { return handle->state().model; },
                           std::move(listen),
                           frames,
                           toContext(options.Get("context")),
                           toDecoding(options.Get("decoding")),
                           std::move(waiter)};
  Engine::instance().hear(std::move(request));
  return promise;
}

}  // namespace

Napi::Value loadModel(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ModelConfig config = toModelConfig(info[0].As<Napi::Object>());
  auto entries = toTensorEntries(info[1].As<Napi::Array>());
  const auto options = info[2].As<Napi::Object>();
  const ops::DType dtype = toDType(options.Get("dtype"));
  const bool warmUp = options.Get("warmUp").ToBoolean().Value();
  ops::setPoolThreads(options.Get("threads").As<Napi::Number>().Int32Value());
  const auto environment = Environment::of(env);
  const CancelFlagPtr flag = environment->jobFlag(options.Get("job").As<Napi::Number>().Int32Value());
  return environment->run(
      env, Engine::instance().inference(), flag,
      [environment, config = std::move(config), entries = std::move(entries), dtype, warmUp,
       flag]() -> Environment::Settle {
        auto handle = std::make_shared<ModelHandle>(Engine::instance().inference());
        environment->track(handle);
        const Weights weights(entries);
        handle->construct([&] { return std::make_unique<LoadedModel>(config, weights, dtype, *flag); });
        if (warmUp) handle->state().model.warmUp(*flag);
        auto filters = handle->state().model.filters();
        return [handle, filters, encoder = config.encoder](Napi::Env inner) mutable -> Napi::Value {
          return inner.GetInstanceData<AddonData>()->model.New(
              {Napi::External<std::shared_ptr<ModelHandle>>::New(inner, &handle),
               Napi::External<std::shared_ptr<const MelFilters>>::New(inner, &filters),
               Napi::External<EncoderConfig>::New(inner, &encoder)});
        };
      });
}

Napi::Function ModelWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeModel",
                     {rejects<&ModelWrap::logMel>("logMel"), rejects<&ModelWrap::normalize>("normalize"),
                      rejects<&ModelWrap::encode>("encode"), rejects<&ModelWrap::decode>("decode"),
                      rejects<&ModelWrap::transcribe>("transcribe"), rejects<&ModelWrap::recognizeMel>("recognizeMel"),
                      throws<&ModelWrap::createMel>("createMel"), throws<&ModelWrap::createEncoder>("createEncoder"),
                      throws<&ModelWrap::createDecoder>("createDecoder"), rejects<&ModelWrap::close>("close")});
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info)
    : Wrap(info),
      handle_(*info[0].As<Napi::External<std::shared_ptr<ModelHandle>>>().Data()),
      filters_(*info[1].As<Napi::External<std::shared_ptr<const MelFilters>>>().Data()),
      encoder_(*info[2].As<Napi::External<EncoderConfig>>().Data()) {}
ModelWrap::~ModelWrap() { abandonHandle(std::move(handle_)); }

Napi::Value ModelWrap::logMel(const Napi::CallbackInfo& info) {
  return Environment::of(info.Env())
      ->run(info.Env(), handle_->worker(), handle_->flag(),
            [filters = filters_, flag = handle_->flag(), samples = toFloats(info[0])] {
              return settleMatrix(wholeLogMel(filters, samples.data(), samples.size(), 0, *flag));
            });
}

Napi::Value ModelWrap::normalize(const Napi::CallbackInfo& info) {
  return Environment::of(info.Env())
      ->run(info.Env(), handle_->worker(), handle_->flag(),
            [logMel = toMatrix(info[0], info[1])] { return settleMatrix(normalizeWhole(logMel)); });
}

Napi::Value ModelWrap::encode(const Napi::CallbackInfo& info) {
  const auto environment = Environment::of(info.Env());
  const CancelFlagPtr flag = environment->jobFlag(info[3].As<Napi::Number>().Int32Value());
  return environment->run(
      info.Env(), handle_->worker(), flag,
      [handle = handle_, flag, features = toMatrix(info[0], info[1]), context = toContext(info[2])] {
        return settleMatrix(toMatrix(handle->state().model.encoder()->encode(features, context, *flag)));
      });
}

Napi::Value ModelWrap::decode(const Napi::CallbackInfo& info) {
  const auto environment = Environment::of(info.Env());
  const CancelFlagPtr flag = environment->jobFlag(info[3].As<Napi::Number>().Int32Value());
  return environment->run(info.Env(), handle_->worker(), flag,
                          [handle = handle_, flag, encoded = toMatrix(info[0], info[1]),
                           decoding = toDecoding(info[2])]() -> Environment::Settle {
                            const Tokens tokens = handle->state().model.decode(toFrameRows(encoded), decoding, *flag);
                            return [tokens](Napi::Env env) -> Napi::Value { return fromTokens(env, tokens); };
                          });
}

Napi::Value ModelWrap::transcribe(const Napi::CallbackInfo& info) {
  const auto object = info[1].As<Napi::Object>();
  const OfflineOptions options{object.Get("flush").As<Napi::Number>().Uint32Value(),
                               object.Get("emissionDelay").As<Napi::Number>().Int32Value()};
  std::vector<float> samples = toFloats(info[0]);
  const auto frames =
      static_cast<int>(samples.size() / static_cast<size_t>(filters_->config.hop * encoder_.subsamplingFactor));
  return recognize(info, object, handle_, frames,
                   [filters = filters_, factor = encoder_.subsamplingFactor, samples = std::move(samples),
                    options](const CancelFlag& cancel) { return listen(filters, factor, samples, options, cancel); });
}

Napi::Value ModelWrap::recognizeMel(const Napi::CallbackInfo& info) {
  const auto object = info[2].As<Napi::Object>();
  Matrix mel = toMatrix(info[0], info[1]);
  const bool normalize = object.Get("normalize").As<Napi::Boolean>().Value();
  const int frames = mel.rows / encoder_.subsamplingFactor;
  return recognize(info, object, handle_, frames, [mel = std::move(mel), normalize](const CancelFlag&) -> Heard {
    return {normalize ? normalizeWhole(mel) : mel};
  });
}

template <class State>
std::shared_ptr<Handle<State>> ModelWrap::open(Napi::Env env, Worker& worker,
                                               std::function<std::unique_ptr<State>()> make) {
  if (closed_) throw Error("ERR_PARAKEET_CLOSED", "Expected an open model but it was closed");
  auto handle = makeHandle<State>(worker, std::move(make));
  sessions_.add(handle);
  return handle;
}

Napi::Value ModelWrap::createMel(const Napi::CallbackInfo& info) {
  const int hangover = info[0].As<Napi::Number>().Int32Value();
  return wrapMel(info.Env(),
                 open<MelSession>(info.Env(), Engine::instance().frontEnd(), [filters = filters_, hangover] {
                   return std::make_unique<MelSession>(filters, hangover);
                 }));
}

Napi::Value ModelWrap::createEncoder(const Napi::CallbackInfo& info) {
  const StreamOptions options = toStreamOptions(info[0].As<Napi::Object>());
  auto session = open<EncoderSession>(
      info.Env(), handle_->worker(), [model = handle_, options]() -> std::unique_ptr<EncoderSession> {
        const Model& loaded = model->state().model;
        const PreprocessorConfig& preprocessor = loaded.config().preprocessor;
        if (loaded.config().encoder.causal)
          return std::make_unique<CacheAwareEncoder>(loaded.encoder(), preprocessor, options);
        return std::make_unique<BufferedEncoder>(loaded.encoder(), preprocessor, options);
      });
  const int factor = encoder_.subsamplingFactor;
  return wrapEncoder(info.Env(), std::move(session), filters_->config.features,
                     {options.chunk + options.lookahead, factor, factor - 1 - encoder_.melAfter()});
}

Napi::Value ModelWrap::createDecoder(const Napi::CallbackInfo& info) {
  return wrapDecoder(
      info.Env(),
      open<DecoderSession>(info.Env(), handle_->worker(), [model = handle_, decoding = toDecoding(info[0])] {
        return std::make_unique<DecoderSession>(model->state().model.decoder(decoding), decoding.boost);
      }));
}

Napi::Value ModelWrap::close(const Napi::CallbackInfo& info) {
  closed_ = true;
  for (std::shared_ptr<Resource>& session : sessions_.alive()) abandonHandle(std::move(session));
  return closeHandle(info.Env(), handle_);
}

}  // namespace parakeet
