#include "binding/lm_wrap.h"

#include <algorithm>
#include <utility>

#include "binding/addon_data.h"
#include "binding/convert.h"
#include "error.h"

namespace parakeet {
namespace {

struct Opened {
  std::shared_ptr<const lm::LanguageModel> model;
  int vocabulary;
};

}  // namespace

Napi::Function LmWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeLanguageModel", {getter<&LmWrap::order>("order"), throws<&LmWrap::score>("score")});
}

LmWrap::LmWrap(const Napi::CallbackInfo& info) : Wrap(info) {
  const Opened& opened = *info[0].As<Napi::External<Opened>>().Data();
  model_ = opened.model;
  vocabulary_ = opened.vocabulary;
}

Napi::Value LmWrap::order(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), model_->order()); }

Napi::Value LmWrap::score(const Napi::CallbackInfo& info) {
  const std::vector<int32_t> tokens = toIntegers(info[0]);
  Napi::Float32Array scores = Napi::Float32Array::New(info.Env(), tokens.size());
  lm::Context context = model_->start();
  for (size_t i = 0; i < tokens.size(); i++) {
    if (tokens[i] < 0 || tokens[i] >= vocabulary_)
      throw Error("ERR_PARAKEET_INVALID_ARGUMENT",
                  "Expected tokens of the vocabulary but received " + std::to_string(tokens[i]));
    const auto token = static_cast<uint32_t>(tokens[i]);
    scores[i] = model_->score(context, token);
    context = model_->next(context, token);
  }
  return scores;
}

Napi::Value openLanguageModel(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const int vocabulary = info[1].As<Napi::Number>().Int32Value();
  Opened opened{
      std::make_shared<const lm::LanguageModel>(path, static_cast<uint32_t>(vocabulary), toVocabularyHash(info[2])),
      vocabulary};
  const Napi::Env env = info.Env();
  return env.GetInstanceData<AddonData>()->languageModel.New({Napi::External<Opened>::New(env, &opened)});
}

std::shared_ptr<const Fusion> toFusion(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const auto object = value.As<Napi::Object>();
  const auto number = [](const Napi::Value& one) { return one.As<Napi::Number>().DoubleValue(); };
  auto fusion = std::make_shared<Fusion>();
  fusion->weight = number(object.Get("weight"));
  fusion->tokenBonus = number(object.Get("tokenBonus"));
  fusion->internalWeight = number(object.Get("internalWeight"));
  const auto models = object.Get("models").As<Napi::Array>();
  const Napi::Function wrapper = value.Env().GetInstanceData<AddonData>()->languageModel.Value();
  for (uint32_t i = 0; i < std::min<uint32_t>(models.Length(), Fusion::mostModels); i++) {
    const auto part = models.Get(i).As<Napi::Object>();
    const Napi::Value model = part.Get("model");
    if (!model.IsObject() || !model.As<Napi::Object>().InstanceOf(wrapper))
      throw Napi::TypeError::New(value.Env(), "Expected a NativeLanguageModel");
    fusion->parts.push_back({LmWrap::Unwrap(model.As<Napi::Object>())->model_, number(part.Get("share"))});
  }
  return fusion;
}

}  // namespace parakeet
