#include "binding/stored_weights.h"

#include <cstring>
#include <string>
#include <vector>

#include "binding/convert.h"
#include "ops/checksum.h"
#include "ops/cpu/packed_weights.h"
#include "ops/device.h"
#include "ops/four_bits.h"

namespace parakeet {

Napi::Value quantizeFourBits(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto values = info[0].As<Napi::Float32Array>();
  const auto columns = info[1].As<Napi::Number>().Int32Value();
  if (columns <= 0 || !ops::fitsFourBits(columns) || values.ElementLength() % columns != 0)
    throw Napi::TypeError::New(env, "Expected rows of a multiple of " + std::to_string(ops::fourBitValues) + " values");
  const size_t rows = values.ElementLength() / columns, groups = columns / ops::fourBitValues;
  std::vector<ops::FourBitGroup> made(rows * groups);
  Napi::Float32Array scale = Napi::Float32Array::New(env, rows);
  for (size_t r = 0; r < rows; r++)
    scale[r] = ops::quantizeFourBits(values.Data() + r * columns, columns, made.data() + r * groups);
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, made.size() * sizeof(ops::FourBitGroup));
  std::memcpy(bytes.Data(), made.data(), bytes.ByteLength());
  Napi::Object object = Napi::Object::New(env);
  object.Set("groups", bytes);
  object.Set("scale", scale);
  return object;
}

Napi::Value packedShape(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
#ifdef PARAKEET_CPU_KERNELS
  if (ops::onCpu()) {
    const int rows = info[1].As<Napi::Number>().Int32Value(), columns = info[2].As<Napi::Number>().Int32Value();
    const auto layout = ops::packedLayout(rows, columns, toDType(info[0]), info[3].As<Napi::Boolean>().Value());
    Napi::Array shape = Napi::Array::New(env, 5);
    uint32_t i = 0;
    for (const int n : {layout.panels, layout.groups, layout.halves, layout.columns, layout.values}) shape.Set(i++, n);
    return shape;
  }
#endif
  return env.Null();
}

Napi::Value packWeights(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
#ifdef PARAKEET_CPU_KERNELS
  const ops::DType dtype = toDType(info[0]);
  const auto stored = info[1].As<Napi::Uint8Array>();
  const auto type = dtype == ops::DType::float32    ? StoredType::f32
                    : dtype == ops::DType::bfloat16 ? StoredType::bf16
                                                    : StoredType::i8;
  const int rows = info[2].As<Napi::Number>().Int32Value(), columns = info[3].As<Napi::Number>().Int32Value();
  if (dtype == ops::DType::int4 || rows <= 0 || columns <= 0 ||
      stored.ByteLength() != ops::storedBytes(type, static_cast<size_t>(rows) * columns))
    throw Napi::TypeError::New(env, "Expected rows in float32, bfloat16 or int8");
  const ops::WeightRows matrix(type, stored.Data(), rows, columns, std::vector<float>(rows, 1.0f), nullptr);
  const bool gated = info[4].As<Napi::Boolean>().Value();
  const std::vector<char> packed = ops::packWeights(matrix, dtype, gated);
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, packed.size());
  std::memcpy(bytes.Data(), packed.data(), packed.size());
  const auto panels = static_cast<size_t>(ops::packedLayout(rows, columns, dtype, gated).panels);
  Napi::Object object = Napi::Object::New(env);
  object.Set("bytes", bytes);
  object.Set("checksum", ops::checksumOf(packed.data(), packed.size() / panels, panels));
  return object;
#else
  throw Napi::Error::New(env, "This build has no CPU kernels");
#endif
}

}  // namespace parakeet
