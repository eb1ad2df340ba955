#ifdef PARAKEET_ONEDNN

#include "ops/cpu/onednn.h"

#include <omp.h>

#include <map>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "error.h"
#include "ops/cpu/instructions.h"
#include "ops/cpu/weight_memory.h"

namespace parakeet::ops {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

// Weights get the layout that oneDNN prefers for this number of rows; products of other sizes use the same.
constexpr int typicalRows = 64;
// Products kept ready. All layers share them, so a stream uses a handful.
constexpr size_t maximumProducts = 256;

// libgomp's team size is a setting of each thread; one thread makes no team, so nothing spins.
void singleThreaded() {
  thread_local const bool once = [] {
    omp_set_num_threads(1);
    return true;
  }();
  (void)once;
}

// Never destroyed: oneDNN's own statics may be destroyed first.
const dnnl::engine& cpuEngine() {
  static const dnnl::engine* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

dnnl::stream& cpuStream() {
  thread_local dnnl::stream stream(cpuEngine());
  return stream;
}

dnnl::memory view(const dnnl::memory::desc& desc, const void* data) {
  return dnnl::memory(desc, cpuEngine(), const_cast<void*>(data));
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

struct Types {
  Type source, weight, target;
};

Types typesOf(ProductKind kind) {
  switch (kind) {
    case ProductKind::bfloat16:
      return {Type::bf16, Type::bf16, Type::f32};
    case ProductKind::bytes:
      return {Type::u8, Type::s8, Type::s32};
    case ProductKind::words:  // has none
    case ProductKind::float32:
      break;
  }
  return {Type::f32, Type::f32, Type::f32};
}

dnnl::matmul::primitive_desc describe(ProductKind kind, int rows, int columns, int inputs,
                                      const dnnl::memory::desc& weight) {
  const Types types = typesOf(kind);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {cpuEngine(),
          {{rows, inputs}, types.source, Tag::ab},
          weight,
          {{rows, columns}, types.target, Tag::ab},
          attributes};
}

// Products by shape. All threads share one table.
class Products {
 public:
  struct Entry {
    dnnl::matmul::primitive_desc description;
    dnnl::matmul primitive;
  };

  std::shared_ptr<const Entry> find(ProductKind kind, int rows, int columns, int inputs,
                                    const dnnl::memory::desc& weight) {
    const Key key(kind, rows, columns, inputs);
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end()) return found->second;
    if (entries_.size() >= maximumProducts) entries_.clear();
    auto description = describe(kind, rows, columns, inputs, weight);
    auto entry = std::make_shared<const Entry>(Entry{description, dnnl::matmul(description)});
    entries_.emplace(key, entry);
    return entry;
  }

  static Products& all() {
    static Products* products = new Products();
    return *products;
  }

 private:
  using Key = std::tuple<ProductKind, int, int, int>;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Entry>> entries_;
};

}  // namespace

struct PackedPanel::Memory {
  WeightMemory bytes;
  dnnl::memory weight;
};

PackedPanel::PackedPanel(ProductKind kind, const void* weight, int columns, int inputs)
    : kind_(kind), columns_(columns), inputs_(inputs), memory_(std::make_unique<Memory>()) {
  translated([&] {
    const Type type = typesOf(kind).weight;
    const dnnl::memory::desc any({inputs, columns}, type, Tag::any);
    const auto layout = describe(kind, typicalRows, columns, inputs, any).weights_desc();
    memory_->bytes = weightMemory(layout.get_size());
    memory_->weight = dnnl::memory(layout, cpuEngine(), memory_->bytes.get());
    dnnl::memory plain = view({{inputs, columns}, type, Tag::ba}, weight);
    dnnl::reorder(plain, memory_->weight).execute(cpuStream(), plain, memory_->weight);
    cpuStream().wait();
  });
}

PackedPanel::~PackedPanel() = default;
PackedPanel::PackedPanel(PackedPanel&&) noexcept = default;
PackedPanel& PackedPanel::operator=(PackedPanel&&) noexcept = default;

void PackedPanel::multiply(const void* x, void* output, int rows) const {
  translated([&] {
    const auto product = Products::all().find(kind_, rows, columns_, inputs_, memory_->weight.get_desc());
    const auto& description = product->description;
    thread_local std::vector<unsigned char> scratch;  // only grows
    const size_t size = description.scratchpad_desc().get_size();
    if (scratch.size() < size + 64) scratch.resize(size + 64);
    void* aligned = scratch.data();
    size_t space = scratch.size();
    std::align(64, size, aligned, space);
    product->primitive.execute(cpuStream(), {{DNNL_ARG_SRC, view(description.src_desc(), x)},
                                             {DNNL_ARG_WEIGHTS, memory_->weight},
                                             {DNNL_ARG_DST, view(description.dst_desc(), output)},
                                             {DNNL_ARG_SCRATCHPAD, view(description.scratchpad_desc(), aligned)}});
    cpuStream().wait();
  });
}

namespace {

// oneDNN orders its instruction sets by bits: a later one includes an earlier one when it has all of its bits.
bool includes(dnnl::cpu_isa wanted) {
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

}  // namespace

bool hasBfloat16() { return includes(dnnl::cpu_isa::avx512_core_bf16); }

bool hasByteProducts() { return hasAvx512Vnni() || hasAvx2Vnni(); }

bool hasMatrixUnits() { return includes(dnnl::cpu_isa::avx512_core_amx); }
bool hasAvx512() { return includes(dnnl::cpu_isa::avx512_core); }
bool hasAvx512Vnni() { return includes(dnnl::cpu_isa::avx512_core_vnni); }
bool hasAvx() { return includes(dnnl::cpu_isa::avx); }
bool hasAvx2() { return includes(dnnl::cpu_isa::avx2); }
bool hasAvx2Vnni() { return includes(dnnl::cpu_isa::avx2_vnni); }

std::string onednnVersion() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

std::string instructions() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse4.1";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx2_vnni_2:
      return "avx2_vnni_2";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_fp16:
      return "avx512_core_fp16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    case dnnl::cpu_isa::avx512_core_amx_fp16:
      return "avx512_core_amx_fp16";
    default:
      return "other";
  }
}

}  // namespace parakeet::ops

#endif
