#include "binding/lm_builder_wrap.h"

#include <algorithm>
#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "binding/session.h"
#include "lm/kneser_ney.h"

namespace parakeet {
namespace {

// Counting takes seconds, and no stream may wait for it. Lives as long as the process, as the engine's threads do.
Worker& builders() {
  static Worker* worker = new Worker;
  return *worker;
}

Environment::Settle settleFile(const lm::Grams& grams, const lm::VocabularyHash& hash, uint64_t tokens) {
  std::vector<double> counts;
  for (const lm::GramLevel& level : grams.levels) counts.push_back(static_cast<double>(level.size()));
  return [words = lm::encode(grams, hash), counts = std::move(counts), tokens](Napi::Env env) -> Napi::Value {
    Napi::Uint8Array bytes = Napi::Uint8Array::New(env, 8 * words.size());
    std::copy_n(reinterpret_cast<const uint8_t*>(words.data()), 8 * words.size(), bytes.Data());
    Napi::Array sizes = Napi::Array::New(env, counts.size());
    for (uint32_t i = 0; i < counts.size(); i++) sizes.Set(i, counts[i]);
    Napi::Object object = Napi::Object::New(env);
    object.Set("file", bytes);
    object.Set("grams", sizes);
    object.Set("tokens", static_cast<double>(tokens));
    return object;
  };
}

}  // namespace

Napi::Function LmBuilderWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeLmBuilder",
                     {rejects<&LmBuilderWrap::addText>("addText"), rejects<&LmBuilderWrap::addGrams>("addGrams"),
                      rejects<&LmBuilderWrap::estimate>("estimate"), rejects<&LmBuilderWrap::assemble>("assemble"),
                      rejects<&LmBuilderWrap::close>("close")});
}

LmBuilderWrap::LmBuilderWrap(const Napi::CallbackInfo& info) : Wrap(info), handle_(handleOf<LmBuilderHandle>(info)) {}
LmBuilderWrap::~LmBuilderWrap() { abandonHandle(std::move(handle_)); }

Napi::Value LmBuilderWrap::addText(const Napi::CallbackInfo& info) {
  return runOn(info, handle_, [tokens = toIntegers(info[0])](LmBuilder& builder) {
    builder.windows.add(tokens.data(), tokens.size());
    return Environment::Settle([](Napi::Env env) { return env.Undefined(); });
  });
}

Napi::Value LmBuilderWrap::addGrams(const Napi::CallbackInfo& info) {
  return runOn(info, handle_,
               [length = info[0].As<Napi::Number>().Int32Value(), tokens = toIntegers(info[1]),
                values = toFloats(info[2]), backoffs = toFloats(info[3])](LmBuilder& builder) {
                 for (size_t i = 0; i < values.size(); i++)
                   builder.grams.add(tokens.data() + i * static_cast<size_t>(length), length, values[i], backoffs[i]);
                 return Environment::Settle([](Napi::Env env) { return env.Undefined(); });
               });
}

Napi::Value LmBuilderWrap::estimate(const Napi::CallbackInfo& info) {
  const auto bytes = static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value());
  const int start = info[1].As<Napi::Number>().Int32Value();
  return runOn(info, handle_, [bytes, start, hash = toVocabularyHash(info[2])](LmBuilder& builder) {
    const uint64_t tokens = builder.windows.tokens();
    lm::Grams grams = lm::estimate(builder.windows.take(), builder.order, builder.vocabulary, bytes);
    grams.start = start < 0 ? lm::noStart : static_cast<uint32_t>(start);
    return settleFile(grams, hash, tokens);
  });
}

Napi::Value LmBuilderWrap::assemble(const Napi::CallbackInfo& info) {
  const float unseen = info[0].As<Napi::Number>().FloatValue();
  return runOn(info, handle_, [unseen, hash = toVocabularyHash(info[1])](LmBuilder& builder) {
    return settleFile(builder.grams.take(unseen), hash, 0);
  });
}

Napi::Value LmBuilderWrap::close(const Napi::CallbackInfo& info) { return closeHandle(info.Env(), handle_); }

Napi::Value createLmBuilder(const Napi::CallbackInfo& info) {
  const uint32_t vocabulary = info[0].As<Napi::Number>().Uint32Value();
  const int order = info[1].As<Napi::Number>().Int32Value();
  auto handle = makeHandle<LmBuilder>(builders(), [vocabulary, order] {
    return std::make_unique<LmBuilder>(
        LmBuilder{vocabulary, order, lm::WindowCounts(order), lm::GramTable(vocabulary)});
  });
  return construct(info.Env(), info.Env().GetInstanceData<AddonData>()->lmBuilder, handle);
}

}  // namespace parakeet
