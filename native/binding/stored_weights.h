// What the conversion of a model asks of the engine: weights as they are stored. See NativeAddon of
// src/engine/addon.ts.
#pragma once

#include <napi.h>

namespace parakeet {

Napi::Value quantizeFourBits(const Napi::CallbackInfo& info);
Napi::Value packedShape(const Napi::CallbackInfo& info);
Napi::Value packWeights(const Napi::CallbackInfo& info);

}  // namespace parakeet
