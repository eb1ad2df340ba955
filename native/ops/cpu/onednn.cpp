#ifdef PARAKEET_ONEDNN

#include "ops/cpu/onednn.h"

#include <omp.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>

#include "model/error.h"
#include "ops/cpu/pool.h"

namespace parakeet::ops {
namespace {

using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
constexpr auto f32 = dnnl::memory::data_type::f32;

// Products smaller than this are not worth waking another thread for (multiply-adds).
constexpr double grainWork = 2e6;
// Primitives kept per weight; a stream uses a handful of shapes.
constexpr size_t maximumPrimitives = 24;

// libgomp's team size is a setting of each thread; one thread makes no team, so nothing spins.
void singleThreaded() {
  thread_local const bool once = [] {
    omp_set_num_threads(1);
    return true;
  }();
  (void)once;
}

const dnnl::engine& cpuEngine() {
  static const dnnl::engine* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

dnnl::stream& cpuStream() {
  thread_local dnnl::stream stream(cpuEngine());
  return stream;
}

dnnl::primitive_attr attributes(Activation activation) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  if (activation == Activation::relu) ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.f, 0.f);
  if (activation == Activation::silu) ops.append_eltwise(dnnl::algorithm::eltwise_swish, 1.f, 0.f);
  attr.set_post_ops(ops);
  return attr;
}

dnnl::memory view(const dnnl::memory::desc& desc, const void* data) {
  return dnnl::memory(desc, cpuEngine(), const_cast<void*>(data));
}

// Runs with a scratchpad of the calling thread that only grows.
void execute(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
             std::unordered_map<int, dnnl::memory> arguments) {
  thread_local std::vector<unsigned char> scratch;
  if (scratch.size() < scratchpad.get_size() + 64) scratch.resize(scratchpad.get_size() + 64);
  void* aligned = scratch.data();
  size_t space = scratch.size();
  std::align(64, scratchpad.get_size(), aligned, space);
  arguments.emplace(DNNL_ARG_SCRATCHPAD, view(scratchpad, aligned));
  primitive.execute(cpuStream(), arguments);
  cpuStream().wait();
}

template <class Function>
auto translated(Function&& function) {
  singleThreaded();
  try {
    return function();
  } catch (const dnnl::error& error) {
    throw Error("ERR_PARAKEET_ENGINE", std::string("oneDNN failed: ") + error.what());
  }
}

}  // namespace

struct PackedMatrix::State {
  int outputs, inputs;
  std::vector<float> bias;
  dnnl::memory weight;
  std::mutex mutex;
  std::map<std::pair<int, Activation>, dnnl::matmul::primitive_desc> descriptions;
  std::map<std::pair<int, Activation>, dnnl::matmul> primitives;

  dnnl::matmul::primitive_desc describe(int rows, Activation activation, const dnnl::memory::desc& weights) const {
    const dnnl::memory::desc source({rows, inputs}, f32, Tag::ab), target({rows, outputs}, f32, Tag::ab);
    if (bias.empty()) return dnnl::matmul::primitive_desc(cpuEngine(), source, weights, target, attributes(activation));
    return dnnl::matmul::primitive_desc(cpuEngine(), source, weights, dnnl::memory::desc({1, outputs}, f32, Tag::ab),
                                        target, attributes(activation));
  }

  std::pair<dnnl::matmul, dnnl::matmul::primitive_desc> primitive(int rows, Activation activation) {
    const std::lock_guard lock(mutex);
    const std::pair key(rows, activation);
    if (!primitives.count(key)) {
      if (primitives.size() >= maximumPrimitives) {
        primitives.clear();
        descriptions.clear();
      }
      auto description = describe(rows, activation, weight.get_desc());
      primitives.emplace(key, dnnl::matmul(description));
      descriptions.emplace(key, std::move(description));
    }
    return {primitives.at(key), descriptions.at(key)};
  }
};

PackedMatrix::PackedMatrix(const std::vector<float>& weight, std::vector<float> bias, int outputs, int inputs)
    : state_(std::make_unique<State>()) {
  translated([&] {
    State& state = *state_;
    state.outputs = outputs;
    state.inputs = inputs;
    state.bias = std::move(bias);
    // The layout that oneDNN likes for a typical number of rows; products with other numbers of rows use the same.
    const dnnl::memory::desc any({inputs, outputs}, f32, Tag::any);
    const auto layout = state.describe(64, Activation::none, any).weights_desc();
    state.weight = dnnl::memory(layout, cpuEngine());
    const dnnl::memory plain = view({{inputs, outputs}, f32, Tag::ba}, weight.data());
    dnnl::reorder(plain, state.weight).execute(cpuStream(), const_cast<dnnl::memory&>(plain), state.weight);
    cpuStream().wait();
  });
}

PackedMatrix::~PackedMatrix() = default;

int PackedMatrix::outputs() const { return state_->outputs; }

void PackedMatrix::multiply(const float* x, float* output, int rows, Activation activation) const {
  State& state = *state_;
  const int grain = std::max(1, static_cast<int>(grainWork / (static_cast<double>(state.outputs) * state.inputs)));
  parallelFor(rows, grain, [&](int begin, int end) {
    translated([&] {
      const auto [primitive, description] = state.primitive(end - begin, activation);
      std::unordered_map<int, dnnl::memory> arguments{
          {DNNL_ARG_SRC, view(description.src_desc(), x + static_cast<size_t>(begin) * state.inputs)},
          {DNNL_ARG_WEIGHTS, state.weight},
          {DNNL_ARG_DST, view(description.dst_desc(), output + static_cast<size_t>(begin) * state.outputs)}};
      if (!state.bias.empty()) arguments.emplace(DNNL_ARG_BIAS, view(description.bias_desc(), state.bias.data()));
      execute(primitive, description.scratchpad_desc(), std::move(arguments));
    });
  });
}

struct PackedConvolution::State {
  int outputs, inputs, kernel, stride, groups;
  std::vector<float> bias;
  std::vector<float> weight;  // [groups, outputs / groups, kernel, kernel, inputs / groups]: plain
  std::mutex mutex;
  struct Entry {
    dnnl::convolution_forward::primitive_desc description;
    dnnl::convolution_forward primitive;
    dnnl::memory weight;
  };
  using Key = std::tuple<int, int, int, int, Activation>;
  std::map<Key, Entry> entries;

  dnnl::memory::desc plainWeight() const {
    if (groups == 1) return {{outputs, inputs, kernel, kernel}, f32, Tag::ohwi};
    return {{groups, outputs / groups, inputs / groups, kernel, kernel}, f32, Tag::gohwi};
  }

  Entry entry(int height, int width, int top, int bottom, Activation activation) {
    const std::lock_guard lock(mutex);
    const Key key(height, width, top, bottom, activation);
    const auto found = entries.find(key);
    if (found != entries.end()) return found->second;
    const int side = kernel / 2;
    const int outHeight = (height + top + bottom - kernel) / stride + 1;
    const int outWidth = (width + 2 * side - kernel) / stride + 1;
    const dnnl::memory::desc source({1, inputs, height, width}, f32, Tag::nhwc), biases({outputs}, f32, Tag::a),
        target({1, outputs, outHeight, outWidth}, f32, Tag::nhwc), any(plainWeight().get_dims(), f32, Tag::any);
    dnnl::convolution_forward::primitive_desc description(
        cpuEngine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source, any, biases,
        target, Dims{stride, stride}, Dims{top, side}, Dims{bottom, side}, attributes(activation));
    dnnl::memory packed(description.weights_desc(), cpuEngine());
    const dnnl::memory plain = view(plainWeight(), weight.data());
    dnnl::reorder(plain, packed).execute(cpuStream(), const_cast<dnnl::memory&>(plain), packed);
    cpuStream().wait();
    if (entries.size() >= maximumPrimitives) entries.clear();
    return entries.emplace(key, Entry{description, dnnl::convolution_forward(description), packed}).first->second;
  }
};

PackedConvolution::PackedConvolution(const std::vector<float>& weight, std::vector<float> bias, int outputs, int inputs,
                                     int kernel, int stride, int groups)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.outputs = outputs;
  state.inputs = inputs;
  state.kernel = kernel;
  state.stride = stride;
  state.groups = groups;
  state.bias = std::move(bias);
  state.weight = weight;
}

PackedConvolution::~PackedConvolution() = default;

void PackedConvolution::convolve(const float* x, float* output, int height, int width, int top, int bottom,
                                 Activation activation) const {
  translated([&] {
    State& state = *state_;
    const State::Entry entry = state.entry(height, width, top, bottom, activation);
    execute(entry.primitive, entry.description.scratchpad_desc(),
            {{DNNL_ARG_SRC, view(entry.description.src_desc(), x)},
             {DNNL_ARG_WEIGHTS, entry.weight},
             {DNNL_ARG_BIAS, view(entry.description.bias_desc(), state.bias.data())},
             {DNNL_ARG_DST, view(entry.description.dst_desc(), output)}});
  });
}

void sgemm(bool transposeB, int rows, int columns, int inner, float alpha, const float* a, int lda, const float* b,
           int ldb, float* c, int ldc) {
  singleThreaded();
  if (dnnl_sgemm('N', transposeB ? 'T' : 'N', rows, columns, inner, alpha, a, lda, b, ldb, 0.0f, c, ldc) !=
      dnnl_success) {
    throw Error("ERR_PARAKEET_ENGINE", "oneDNN's sgemm failed");
  }
}

std::string onednnVersion() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace parakeet::ops

#endif
