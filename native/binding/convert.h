// Values across the boundary. Objects come from src/engine/addon.ts, which has checked them; what is still wrong here
// is a bug and throws a TypeError (js_error.h gives it a code).
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "binding/environment.h"
#include "engine/stream_options.h"
#include "model/config.h"
#include "model/model.h"
#include "model/tokens.h"
#include "model/weights.h"

namespace parakeet {

std::vector<float> toFloats(const Napi::Value& value);
std::vector<int32_t> toIntegers(const Napi::Value& value);
// The 32 bytes of a SHA-256.
lm::VocabularyHash toVocabularyHash(const Napi::Value& value);
ModelConfig toModelConfig(const Napi::Object& object);
std::vector<TensorEntry> toTensorEntries(const Napi::Array& array);
Context toContext(const Napi::Value& value);
Decoding toDecoding(const Napi::Value& value);
// Null or undefined: no phrases.
std::shared_ptr<const BoostTree> toBoostTree(const Napi::Value& value);
ops::DType toDType(const Napi::Value& value);
StreamOptions toStreamOptions(const Napi::Object& object);

Napi::Float32Array fromFloats(Napi::Env env, const std::vector<float>& values);
Napi::Object fromMatrix(Napi::Env env, const Matrix& matrix);
// For Environment::run: makes the matrix on Node's thread.
Environment::Settle settleMatrix(Matrix matrix);
Napi::Object fromTokens(Napi::Env env, const Tokens& tokens);

}  // namespace parakeet
