#include "binding/convert.h"

#include <algorithm>
#include <string>

#include "binding/lm_wrap.h"

namespace parakeet {
namespace {

int integer(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Number>().Int32Value(); }
double number(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Number>().DoubleValue(); }
bool boolean(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Boolean>().Value(); }
std::string text(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::String>().Utf8Value(); }

Architecture toArchitecture(const std::string& name) {
  if (name == "tdt") return Architecture::tdt;
  if (name == "tdt-ctc") return Architecture::tdtCtc;
  if (name == "rnnt") return Architecture::rnnt;
  return Architecture::ctc;
}

StoredType toStoredType(const std::string& name) {
  if (name == "F32") return StoredType::f32;
  if (name == "I8") return StoredType::i8;
  if (name == "I4") return StoredType::i4;
  return name == "F16" ? StoredType::f16 : StoredType::bf16;
}

Napi::Int32Array integers(Napi::Env env, const Tokens& tokens, int64_t (*pick)(const Token&)) {
  Napi::Int32Array array = Napi::Int32Array::New(env, tokens.size());
  for (size_t i = 0; i < tokens.size(); i++) array[i] = static_cast<int32_t>(pick(tokens[i]));
  return array;
}

}  // namespace

std::vector<float> toFloats(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
    throw Napi::TypeError::New(value.Env(), "Expected a Float32Array");
  const auto array = value.As<Napi::Float32Array>();
  return std::vector<float>(array.Data(), array.Data() + array.ElementLength());
}

std::vector<int32_t> toIntegers(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw Napi::TypeError::New(value.Env(), "Expected an Int32Array");
  const auto array = value.As<Napi::Int32Array>();
  return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

lm::VocabularyHash toVocabularyHash(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  lm::VocabularyHash hash{};
  std::copy_n(array.Data(), std::min(array.ElementLength(), hash.size()), hash.begin());
  return hash;
}

ModelConfig toModelConfig(const Napi::Object& object) {
  ModelConfig config;
  config.architecture = toArchitecture(text(object, "architecture"));
  const auto preprocessor = object.Get("preprocessor").As<Napi::Object>();
  config.preprocessor = {integer(preprocessor, "sampleRate"), integer(preprocessor, "windowLength"),
                         integer(preprocessor, "hop"),        integer(preprocessor, "fftLength"),
                         integer(preprocessor, "features"),   number(preprocessor, "preemphasis"),
                         text(preprocessor, "window"),        boolean(preprocessor, "normalize")};
  const auto encoder = object.Get("encoder").As<Napi::Object>();
  config.encoder.features = config.preprocessor.features;
  config.encoder.layers = integer(encoder, "layers");
  config.encoder.dModel = integer(encoder, "dModel");
  config.encoder.heads = integer(encoder, "heads");
  config.encoder.feedForward = integer(encoder, "feedForward");
  config.encoder.subsamplingFactor = integer(encoder, "subsamplingFactor");
  config.encoder.subsamplingChannels = integer(encoder, "subsamplingChannels");
  config.encoder.convKernel = integer(encoder, "convKernel");
  config.encoder.useBias = boolean(encoder, "useBias");
  config.encoder.xscaling = boolean(encoder, "xscaling");
  config.encoder.causal = boolean(encoder, "causal");
  config.vocabulary = integer(object, "vocabularySize");
  config.maxSymbols = integer(object, "maxSymbols");
  const auto durations = object.Get("durations").As<Napi::Array>();
  for (uint32_t i = 0; i < durations.Length(); i++)
    config.durations.push_back(durations.Get(i).As<Napi::Number>().Int32Value());
  if (object.Get("predictor").IsObject()) {
    const auto predictor = object.Get("predictor").As<Napi::Object>();
    config.predictor = {integer(predictor, "hidden"), integer(predictor, "layers")};
    const auto joint = object.Get("joint").As<Napi::Object>();
    config.joint = {integer(joint, "hidden"), text(joint, "activation")};
  }
  if (object.Get("prompt").IsObject()) {
    const auto prompt = object.Get("prompt").As<Napi::Object>();
    config.prompt = {integer(prompt, "prompts"), integer(prompt, "hidden")};
  }
  return config;
}

std::vector<TensorEntry> toTensorEntries(const Napi::Array& array) {
  std::vector<TensorEntry> entries;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const auto object = array.Get(i).As<Napi::Object>();
    TensorEntry entry;
    entry.name = text(object, "name");
    entry.path = text(object, "path");
    entry.type = toStoredType(text(object, "dtype"));
    entry.offset = static_cast<uint64_t>(number(object, "offset"));
    entry.bytes = static_cast<uint64_t>(number(object, "bytes"));
    const auto shape = object.Get("shape").As<Napi::Array>();
    for (uint32_t k = 0; k < shape.Length(); k++) entry.shape.push_back(shape.Get(k).As<Napi::Number>().Int64Value());
    if (const Napi::Value checksum = object.Get("checksum"); checksum.IsNumber())
      entry.checksum = checksum.As<Napi::Number>().Uint32Value();
    entries.push_back(std::move(entry));
  }
  return entries;
}

Context toContext(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  const auto at = [&](uint32_t i) { return array.Get(i).As<Napi::Number>().Int32Value(); };
  return {at(0), at(1), array.Length() > 2 ? at(2) : -1};
}

namespace {

Measure toMeasure(const std::string& name) {
  if (name == "max-probability") return Measure::maxProbability;
  if (name == "tsallis") return Measure::tsallis;
  if (name == "renyi") return Measure::renyi;
  return name == "margin" ? Measure::margin : Measure::entropy;
}

}  // namespace

Decoding toDecoding(const Napi::Value& value) {
  const auto object = value.As<Napi::Object>();
  const std::string name = text(object, "head");
  Decoding decoding;
  decoding.head = name == "ctc" ? Head::ctc : name == "rnnt" ? Head::rnnt : Head::tdt;
  if (object.Get("beam").IsObject()) {
    const auto beam = object.Get("beam").As<Napi::Object>();
    decoding.beam = Beam{integer(beam, "size"), number(beam, "lengthPenalty"), number(beam, "patience"),
                         number(beam, "durationReward"),
                         text(beam, "search") == "frame" ? BeamSearch::frame : BeamSearch::parakeetMlx};
  }
  decoding.boost = toBoostTree(object.Get("boost"));
  decoding.lm = toFusion(object.Get("lm"));
  if (object.Get("confidence").IsString()) decoding.measure = toMeasure(text(object, "confidence"));
  return decoding;
}

std::shared_ptr<const BoostTree> toBoostTree(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const auto object = value.As<Napi::Object>();
  const auto doubles = [&](const char* name) {
    const auto array = object.Get(name).As<Napi::Float64Array>();
    return std::vector<double>(array.Data(), array.Data() + array.ElementLength());
  };
  auto tree = std::make_shared<BoostTree>();
  tree->firstCharacter = toIntegers(object.Get("firstCharacter"));
  tree->characters = toIntegers(object.Get("characters"));
  tree->firstEdge = toIntegers(object.Get("firstEdge"));
  const std::vector<int32_t> characters = toIntegers(object.Get("edgeCharacters")),
                             next = toIntegers(object.Get("edgeNext"));
  for (size_t i = 0; i < characters.size(); i++) tree->edges.push_back({characters[i], next[i]});
  tree->weights = doubles("weights");
  tree->potentials = doubles("potentials");
  const auto whole = object.Get("whole").As<Napi::Uint8Array>();
  tree->whole.assign(whole.Data(), whole.Data() + whole.ElementLength());
  tree->firstUppercase = number(object, "firstUppercase");
  return tree;
}

ops::DType toDType(const Napi::Value& value) {
  const std::string name = value.As<Napi::String>().Utf8Value();
  if (name == "int4") return ops::DType::int4;
  return name == "int8" ? ops::DType::int8 : name == "bfloat16" ? ops::DType::bfloat16 : ops::DType::float32;
}

StreamOptions toStreamOptions(const Napi::Object& object) {
  StreamOptions options;
  options.chunk = integer(object, "chunk");
  options.lookahead = integer(object, "lookahead");
  const Napi::Value agreement = object.Get("agreement");
  if (agreement.IsObject()) {
    const auto given = agreement.As<Napi::Object>();
    options.agreement = {integer(given, "drafts"), integer(given, "lookahead"),
                         static_cast<float>(number(given, "confidence"))};
  }
  options.context = toContext(object.Get("context"));
  options.cache = integer(object, "cache");
  options.emissionDelay = integer(object, "emissionDelay");
  options.hangover = integer(object, "hangover");
  options.gate = object.Get("gate").As<Napi::Boolean>().Value();
  options.history = integer(object, "history");
  options.grow = integer(object, "grow");
  options.recall = toContext(object.Get("recall"));
  const Napi::Value normalization = object.Get("normalization");
  if (normalization.IsObject()) {
    const auto given = normalization.As<Napi::Object>();
    const Statistics statistics{toFloats(given.Get("mean")), toFloats(given.Get("std"))};
    if (given.Has("frames"))
      options.normalization = RunningNormalization{statistics, integer(given, "frames")};
    else
      options.normalization = statistics;
  } else if (normalization.As<Napi::String>().Utf8Value() == "none") {
    options.normalization = NoNormalization{};
  }
  return options;
}

Napi::Float32Array fromFloats(Napi::Env env, const std::vector<float>& values) {
  Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Object fromMatrix(Napi::Env env, const Matrix& matrix) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("data", fromFloats(env, matrix.data));
  object.Set("rows", matrix.rows);
  object.Set("columns", matrix.columns);
  return object;
}

Environment::Settle settleMatrix(Matrix matrix) {
  return [matrix = std::move(matrix)](Napi::Env env) -> Napi::Value { return fromMatrix(env, matrix); };
}

Napi::Object fromTokens(Napi::Env env, const Tokens& tokens) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("ids", integers(env, tokens, [](const Token& token) -> int64_t { return token.id; }));
  object.Set("starts", integers(env, tokens, [](const Token& token) { return token.start; }));
  object.Set("durations", integers(env, tokens, [](const Token& token) { return token.duration; }));
  std::vector<float> confidences;
  for (const Token& token : tokens) confidences.push_back(token.confidence);
  object.Set("confidences", fromFloats(env, confidences));
  return object;
}

}  // namespace parakeet
