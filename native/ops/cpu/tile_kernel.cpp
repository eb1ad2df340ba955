#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include "ops/cpu/tile_kernel.h"

#include <limits>

#include "ops/cpu/amx.h"
#include "ops/cpu/instructions.h"
#include "ops/cpu/vector_level.h"
#include "ops/cpu/vector_tiles.h"

namespace parakeet::ops {
namespace {

// One kind's tiles in an instruction set: see tile_kernel.h.
struct TileSet {
  int rows, alignment, groupsAtOnce;
  void (*multiply)(ProductKind kind, const TileProduct& product);
};
constexpr int unlimited = std::numeric_limits<int>::max();
constexpr TileSet ofAmx{amx::tileRows, amx::alignment, amx::groupsAtOnce, amx::multiplyTile},
    ofAvx512{avx512::tileRows, avx512::alignment, unlimited, avx512::multiplyTile},
    ofAvx2{avx2::tileRows, avx2::alignment, avx2::groupsAtOnce, avx2::multiplyTile},
    ofWords{avx2::wordRows, avx2::alignment, avx2::groupsAtOnce,
            [](ProductKind, const TileProduct& product) { avx2::multiplyWords(product); }},
    ofBase{base::tileRows, base::alignment, base::groupsAtOnce, base::multiplyTile};

// AMX multiplies these.
bool inMatrixUnits(ProductKind kind) { return kind != ProductKind::float32 && amx::available(); }

const TileSet& setOf(ProductKind kind) {
  if (inMatrixUnits(kind)) return ofAmx;
  switch (vectorLevel()) {
    case VectorLevel::avx512:
      return ofAvx512;
    case VectorLevel::avx2:
      return kind == ProductKind::words ? ofWords : ofAvx2;
    case VectorLevel::base:
      break;
  }
  return ofBase;
}

}  // namespace

bool hasTileKernel(ProductKind kind) {
  switch (kind) {
    case ProductKind::bfloat16:
      return hasBfloat16();
    case ProductKind::bytes:
      return hasByteProducts();
    case ProductKind::words:
      return !hasByteProducts() && vectorLevel() == VectorLevel::avx2;
    case ProductKind::float32:
      break;
  }
  return true;
}

int tileRows(ProductKind kind) { return setOf(kind).rows; }
int groupAlignment(ProductKind kind) { return setOf(kind).alignment; }
int groupsAtOnce(ProductKind kind) { return setOf(kind).groupsAtOnce; }
int fourBitTileRows(ProductKind kind) {
  return kind == ProductKind::bytes && &setOf(kind) == &ofAvx512 ? avx512::fourBitRows : 0;
}
int rowsWithPadding(ProductKind kind, int rows) { return inMatrixUnits(kind) ? rows + amx::tileRows - 1 : rows; }

TileScope::TileScope(ProductKind kind) : shaped_(inMatrixUnits(kind)) {
  if (shaped_) amx::shapeRegisters();
}

TileScope::~TileScope() {
  if (shaped_) amx::releaseRegisters();
}

void multiplyTile(ProductKind kind, const TileProduct& product) {
  product.fourBits ? avx512::multiplyFourBits(product) : setOf(kind).multiply(kind, product);
}

}  // namespace parakeet::ops

#endif
