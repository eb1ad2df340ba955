// What the addon keeps per Node environment: deleted on Node's thread when the environment ends.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/environment.h"

namespace parakeet {

struct AddonData {
  std::shared_ptr<Environment> environment;
  Napi::FunctionReference model, frames, mel, encoder, decoder, languageModel, lmBuilder;  // classes
  Napi::FunctionReference makeError;  // of src/engine/native-error.ts
};

}  // namespace parakeet
