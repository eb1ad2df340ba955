// Attention of a live step as one CUDA kernel: it reads the projections as they are and the caches where they lie, and
// writes what the caches will hold next. In place of a dozen of MLX's operations, which gather, join and transpose keys
// and values, and write scores.
//
// A block has a head of an item and some of its queries, whose scores stay in its shared memory.
//
// Compiled by NVRTC as the header of a kernel (live_attention.cpp), and by native/test for the CPU, where a block is one
// thread of one lane.
namespace parakeet_live {

constexpr int queriesOfBlock = 8;
// A score that must not count: finite, so that a query of the padding gives numbers.
constexpr float excluded = -1e9f;

using namespace parakeet_tiles;

struct __align__(16) Four {
  float x, y, z, w;
};
struct __align__(8) FourBits {
  unsigned short x, y, z, w;
};
__device__ inline Four loadFour(const unsigned short* from) {
  const FourBits bits = *reinterpret_cast<const FourBits*>(from);
  return {widened(bits.x), widened(bits.y), widened(bits.z), widened(bits.w)};
}
__device__ inline Four loadFour(const float* from) { return *reinterpret_cast<const Four*>(from); }

// The row's products with all queries of the block. queries: [queriesOfBlock, SIZE].
template <int SIZE, class V>
__device__ inline void multiply(const V* row, const float* queries, float (&sums)[queriesOfBlock]) {
#pragma unroll
  for (int i = 0; i < queriesOfBlock; i++) sums[i] = 0.0f;
#pragma unroll 4
  for (int k = 0; k < SIZE; k += 4) {
    const Four own = loadFour(row + k);
#pragma unroll
    for (int i = 0; i < queriesOfBlock; i++) {
      const Four query = loadFour(queries + i * SIZE + k);
      sums[i] += own.x * query.x + own.y * query.y + own.z * query.z + own.w * query.w;
    }
  }
}

// The queries of a block, with one of the biases.
template <int SIZE, class V>
struct Queries {
  static constexpr bool tiled = TENSOR_CORES && sizeof(V) == 2 && SIZE % tileValues == 0;
  static constexpr int stride = tiled ? strideOf(SIZE) : SIZE;
  float* values;  // [queriesOfBlock, stride]; tiled: Halves, which have the same size

  __device__ Halves halves() const {
    unsigned short* const all = reinterpret_cast<unsigned short*>(values);
    return {all, all + queriesOfBlock * stride, stride};
  }
  __device__ void put(int i, int k, float value) const {
    if constexpr (tiled)
      halves().put(i, k, value);
    else
      values[i * stride + k] = value;
  }

  // Gives `use` the products of `count` rows with each query: row, query, product. A row goes to one thread, or by 16
  // to a warp.
  template <class RowOf, class Use>
  __device__ void multiplyAll(int count, RowOf rowOf, Use use) const {
    if constexpr (tiled) {
      const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, warps = blockDim.x / LANES;
      for (int tile = warp * tileRows; tile < count; tile += warps * tileRows) {
        float sums[4] = {};
        // Rows behind the last one are that one again.
        multiplyTile([&](int i) { return rowOf(tile + i < count ? tile + i : count - 1); }, halves(), 0, SIZE, lane,
                     sums);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const int row = tile + lane / 4 + i / 2 * 8;
          if (row < count) use(row, lane % 4 * 2 + i % 2, sums[i]);
        }
      }
    } else {
      for (int row = threadIdx.x; row < count; row += blockDim.x) {
        float sums[queriesOfBlock];
        multiply<SIZE>(rowOf(row), values, sums);
#pragma unroll
        for (int i = 0; i < queriesOfBlock; i++) use(row, i, sums[i]);
      }
    }
  }
};

// Of all items: frames of the step, cached frames; the positions' rows, and the distance of the first one; ops::Band
// (left, right, first query, chunk); frames that the cache will hold. Then of each item: cached frames that it has (the
// last ones), frames that it has (the first ones), its slot, and which of its keys the next cache begins with.
constexpr int sharedNumbers = 9, itemNumbers = 4;

// The keys of a query at a place: ops::Band::keysAt.
struct Keys {
  int begin, end;
};
__device__ inline Keys keysAt(const int* band, int place) {
  const int left = band[0], right = band[1], firstQuery = band[2], chunk = band[3];
  const int first = chunk > 0 ? place - (place - firstQuery) % chunk : place;
  const int last = chunk > 0 ? first + chunk - 1 : place;
  return {left < 0 ? -2147483647 : first - left, right < 0 ? 2147483647 : last + right + 1};
}

// projected: [items, frames, 3, HEADS, SIZE], queries, keys and values. pool: [slots, 2, HEADS, cached, SIZE].
// positions: [HEADS, rows, SIZE]. biasU, biasV: [HEADS, SIZE].
// mixed: [items, frames, HEADS, SIZE], softmax(((q + u) kᵀ + (q + v) p[i − j]ᵀ) / √SIZE) · values (Dai et al. 2019,
// "Transformer-XL"). kept: [items, 2, HEADS, kept frames, SIZE]. A key before the first one gives undefined values there.
// KEYS: cached frames and frames at most. PARTS: of the keys, in which their values are added up. V is bfloat16's bits
// or float.
template <int HEADS, int SIZE, int KEYS, int PARTS, class V>
__device__ inline void attend(const int* numbers, const V* projected, const V* pool, const V* positions, const V* biasU,
                              const V* biasV, V* mixed, V* kept) {
  using Own = Queries<SIZE, V>;
  constexpr int width = HEADS * SIZE, quads = SIZE / 4;
  constexpr int ofQueries = 2 * queriesOfBlock * Own::stride, ofParts = PARTS * queriesOfBlock * SIZE;
  // Queries with either bias; later the parts' sums.
  __shared__ __align__(16) float sums[ofQueries > ofParts ? ofQueries : ofParts];
  __shared__ __align__(16) float scores[queriesOfBlock * KEYS];
  const Own queriesU{sums}, queriesV{sums + queriesOfBlock * Own::stride};

  const int frames = numbers[0], cached = numbers[1], rows = numbers[2], farthest = numbers[3], keptFrames = numbers[8];
  const int* const band = numbers + 4;
  const int firstQuery = blockIdx.x * queriesOfBlock, head = blockIdx.y, item = blockIdx.z;
  const int* const own = numbers + sharedNumbers + itemNumbers * item;
  const int low = cached - own[0], high = cached + own[1], slot = own[2], firstKept = own[3];
  const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, warps = (blockDim.x + LANES - 1) / LANES;
  projected += static_cast<long>(item) * frames * 3 * width + head * SIZE;
  mixed += static_cast<long>(item) * frames * width + head * SIZE;
  // 0: keys, 1: values.
  const auto rowOf = [&](int which, int key) {
    if (key >= cached) return projected + (static_cast<long>(key - cached) * 3 + 1 + which) * width;
    return pool + (((static_cast<long>(slot) * 2 + which) * HEADS + head) * cached + key) * SIZE;
  };

  const float scale = 1.0f / sqrtf(static_cast<float>(SIZE));
  for (int i = threadIdx.x; i < queriesOfBlock * SIZE; i += blockDim.x) {
    const int query = firstQuery + i / SIZE, k = i % SIZE;
    const float value = query < frames ? widened(projected[static_cast<long>(query) * 3 * width + k]) : 0.0f;
    queriesU.put(i / SIZE, k, (value + widened(biasU[head * SIZE + k])) * scale);
    queriesV.put(i / SIZE, k, (value + widened(biasV[head * SIZE + k])) * scale);
  }
  // Keys are taken four at a time.
  const int lowest = low / 4 * 4;
  for (int i = threadIdx.x; i < queriesOfBlock * KEYS; i += blockDim.x) scores[i] = 0.0f;
  __syncthreads();

  // A distance's row gives a score to one key of each query. Query i of the block is at place `at` + i.
  const int at = cached + firstQuery;
  const int nearest = farthest - (at - (high - 1)), first = farthest - (at + queriesOfBlock - 1 - low);
  const int firstRow = first < 0 ? 0 : first, endRow = nearest < rows ? nearest + 1 : rows;
  queriesV.multiplyAll(
      endRow - firstRow,
      [&](int row) { return positions + (static_cast<long>(head) * rows + firstRow + row) * SIZE; },
      [&](int row, int i, float product) {
        const int key = firstRow + row - farthest + at + i;
        if (key >= low && key < high) scores[i * KEYS + key] = product;
      });
  __syncthreads();
  queriesU.multiplyAll(
      high - low, [&](int key) { return rowOf(0, low + key); },
      [&](int key, int i, float product) {
        const Keys seen = keysAt(band, at + i);
        float& score = scores[i * KEYS + low + key];
        score = low + key >= seen.begin && low + key < seen.end ? score + product : excluded;
      });
  __syncthreads();
  for (int i = warp; i < queriesOfBlock; i += warps) {
    float* const ofQuery = scores + i * KEYS;
    float most = excluded;
    for (int key = low + lane; key < high; key += LANES) most = ofQuery[key] > most ? ofQuery[key] : most;
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
      const float other = otherLane(most, distance);
      most = other > most ? other : most;
    }
    float sum = 0.0f;
    for (int key = low + lane; key < high; key += LANES) {
      const float weight = expf(ofQuery[key] - most);
      ofQuery[key] = weight;
      sum += weight;
    }
    for (int distance = LANES / 2; distance > 0; distance /= 2) sum += otherLane(sum, distance);
    const float share = sum > 0.0f ? 1.0f / sum : 0.0f;
    for (int key = low + lane; key < high; key += LANES) ofQuery[key] *= share;
  }
  __syncthreads();

  for (int unit = threadIdx.x; unit < quads * PARTS; unit += blockDim.x) {
    const int part = unit / quads, k = unit % quads * 4;
    float added[queriesOfBlock][4] = {};
    for (int key = lowest + 4 * part; key < high; key += 4 * PARTS) {
      Four values[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const bool there = key + j >= low && key + j < high;
        values[j] = there ? loadFour(rowOf(1, key + j) + k) : Four{0.0f, 0.0f, 0.0f, 0.0f};
      }
#pragma unroll
      for (int i = 0; i < queriesOfBlock; i++) {
        const Four weights = loadFour(scores + i * KEYS + key);
        added[i][0] += weights.x * values[0].x + weights.y * values[1].x + weights.z * values[2].x + weights.w * values[3].x;
        added[i][1] += weights.x * values[0].y + weights.y * values[1].y + weights.z * values[2].y + weights.w * values[3].y;
        added[i][2] += weights.x * values[0].z + weights.y * values[1].z + weights.z * values[2].z + weights.w * values[3].z;
        added[i][3] += weights.x * values[0].w + weights.y * values[1].w + weights.z * values[2].w + weights.w * values[3].w;
      }
    }
#pragma unroll
    for (int i = 0; i < queriesOfBlock; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) sums[(part * queriesOfBlock + i) * SIZE + k + j] = added[i][j];
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < queriesOfBlock * SIZE; i += blockDim.x) {
    const int query = firstQuery + i / SIZE;
    if (query >= frames) continue;
    float sum = 0.0f;
#pragma unroll
    for (int part = 0; part < PARTS; part++) sum += sums[part * queriesOfBlock * SIZE + i];
    narrow(sum, mixed[static_cast<long>(query) * width + i % SIZE]);
  }

  // The blocks of a head share its next cache.
  const int copied = 2 * keptFrames * quads;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < copied; i += gridDim.x * blockDim.x) {
    const int which = i / (keptFrames * quads), frame = i / quads % keptFrames, k = i % quads * 4;
    const int key = firstKept + frame < 0 ? 0 : firstKept + frame;
    const V* const from = rowOf(which, key) + k;
    V* const to = kept + (((static_cast<long>(item) * 2 + which) * HEADS + head) * keptFrames + frame) * SIZE + k;
#pragma unroll
    for (int j = 0; j < 4; j++) to[j] = from[j];
  }
}

}  // namespace parakeet_live
