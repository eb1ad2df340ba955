// Greedy transducer decoding as one CUDA kernel: the rounds of joint and predictor of device_greedy.cpp without a
// launch for each operation. The weights (about 20 MB in bfloat16) stay in the card's second-level cache, so a round
// costs what the blocks' agreement on it costs: some microseconds.
//
// All blocks run at the same time, one to a multiprocessor. They form teams, each with up to eight streams of its own.
// Each block takes its rows of a product; then those of a team wait for each other (`Team::meet`) and read the others'
// results. What follows from those (tokens, pointers) each block works out by itself, in the same order and so with the
// same result.
//
// Eight streams of a team are multiplied by tensor cores, 16 rows of weights at a time: bfloat16 weights are exact there,
// and a stream's values go as the sum of two bfloat16, 2⁻¹⁷ from the value at most.
//
// Compiled by NVRTC as the header of a kernel (greedy_kernel.cpp), and by native/test for the CPU: with LANES 1, where a
// block is one thread, and with a warp's 32 threads.
namespace parakeet_greedy {

using namespace parakeet_tiles;

// What scoring the outputs of the joint tells of one stream: of the classes the best, Σ eˣ⁻ᵐ, Σ x eˣ⁻ᵐ and Σ e^((x−m)/3)
// with m the best one's logit, and the second largest logit; of the durations the best.
struct __align__(16) Tally {
  float most, sum, weighted, thirds, second;
  int at;
  float kindMost;
  int kind;
};
constexpr int tallySize = 8;

__device__ inline Tally nothing() { return {-INFINITY, 0.0f, 0.0f, 0.0f, -INFINITY, 0, -INFINITY, 0}; }

__device__ inline float larger(float a, float b) { return a > b ? a : b; }

// Indices come in rising order: of equals the first is the best.
__device__ inline void addClass(Tally& tally, float logit, int index) {
  if (logit > tally.most) {
    const float root = expf((tally.most - logit) / 3.0f), scale = root * root * root;
    tally.sum = tally.sum * scale + 1.0f;
    tally.weighted = tally.weighted * scale + logit;
    tally.thirds = tally.thirds * root + 1.0f;
    tally.second = tally.most;
    tally.most = logit;
    tally.at = index;
  } else {
    const float root = expf((logit - tally.most) / 3.0f), share = root * root * root;
    tally.sum += share;
    tally.weighted += logit * share;
    tally.thirds += root;
    tally.second = larger(tally.second, logit);
  }
}

__device__ inline void addKind(Tally& tally, float logit, int index) {
  if (logit > tally.kindMost) {
    tally.kindMost = logit;
    tally.kind = index;
  }
}

__device__ inline Tally merged(const Tally& a, const Tally& b) {
  Tally both = a;
  if (b.sum > 0.0f && (a.sum == 0.0f || b.most > a.most || (b.most == a.most && b.at < a.at))) {
    both.most = b.most;
    both.at = b.at;
  }
  if (a.sum > 0.0f && b.sum > 0.0f) {
    const float first = expf((a.most - both.most) / 3.0f), second = expf((b.most - both.most) / 3.0f);
    both.thirds = a.thirds * first + b.thirds * second;
    both.sum = a.sum * first * first * first + b.sum * second * second * second;
    both.weighted = a.weighted * first * first * first + b.weighted * second * second * second;
    both.second = larger(a.most > b.most ? b.most : a.most, larger(a.second, b.second));
  } else if (b.sum > 0.0f) {
    both.sum = b.sum;
    both.weighted = b.weighted;
    both.thirds = b.thirds;
    both.second = b.second;
  }
  if (b.kindMost > a.kindMost || (b.kindMost == a.kindMost && b.kind < a.kind)) {
    both.kindMost = b.kindMost;
    both.kind = b.kind;
  }
  return both;
}

// The tallies of lanes whose numbers differ by multiples of `distance` as one, which each of them has then. Sums are
// brought to the largest logit of all once, not with each other lane.
__device__ inline Tally tallyOverLanes(const Tally& own, int distance = 1) {
  Tally all = own;
  for (int d = distance; d < LANES; d *= 2) {
    const float most = otherLane(all.most, d);
    const int at = otherLane(all.at, d);
    if (most > all.most || (most == all.most && at < all.at)) {
      all.most = most;
      all.at = at;
    }
    const float kindMost = otherLane(all.kindMost, d);
    const int kind = otherLane(all.kind, d);
    if (kindMost > all.kindMost || (kindMost == all.kindMost && kind < all.kind)) {
      all.kindMost = kindMost;
      all.kind = kind;
    }
  }
  // A lane without a class has no largest logit.
  const float root = own.sum > 0.0f ? expf((own.most - all.most) / 3.0f) : 0.0f, scale = root * root * root;
  all.sum = own.sum * scale;
  all.weighted = own.weighted * scale;
  all.thirds = own.thirds * root;
  all.second = own.sum > 0.0f && own.at == all.at ? own.second : own.most;
  for (int d = distance; d < LANES; d *= 2) {
    all.sum += otherLane(all.sum, d);
    all.weighted += otherLane(all.weighted, d);
    all.thirds += otherLane(all.thirds, d);
    all.second = larger(all.second, otherLane(all.second, d));
  }
  return all;
}

// The blocks of a team.
struct Team {
  unsigned blocks;
  unsigned* counter;  // 0 at the start
  float* failed;      // set when a block waited for another in vain
  unsigned meetings = 0;

  // Waits until all of them have come here; what they wrote before can be read after. False: give up.
  __device__ bool meet() {
    __syncthreads();
    if (threadIdx.x == 0) {
      meetings++;
      __threadfence();
      atomicAdd(counter, 1u);
      // Blocks that cannot run at the same time would wait for ever.
      for (long spins = 0; watched(counter) < meetings * blocks; spins++) {
        if (spins > 50000000 || watched(failed) != 0.0f) {
          *reinterpret_cast<volatile float*>(failed) = 1.0f;
          break;
        }
      }
      __threadfence();
    }
    __syncthreads();
    return watched(failed) == 0.0f;
  }
};

// Four values of a row of weights; rows are aligned to them.
__device__ inline void loadFour(const unsigned short* from, float (&to)[4]) {
  const ushort4 bits = *reinterpret_cast<const ushort4*>(from);
  to[0] = widened(bits.x);
  to[1] = widened(bits.y);
  to[2] = widened(bits.z);
  to[3] = widened(bits.w);
}
__device__ inline void loadFour(const float* from, float (&to)[4]) {
  const float4 values = *reinterpret_cast<const float4*>(from);
  to[0] = values.x;
  to[1] = values.y;
  to[2] = values.z;
  to[3] = values.w;
}

// Adds a lane's share of the products of a row with `S` vectors of `WIDTH` values.
template <int S, int WIDTH, class W>
__device__ inline void multiply(const W* row, const float* vectors, int lane, float (&sums)[S]) {
#pragma unroll 5
  for (int k = lane * 4; k < WIDTH; k += LANES * 4) {
    float weights[4];
    loadFour(row + k, weights);
#pragma unroll
    for (int s = 0; s < S; s++) {
      const float4 own = *reinterpret_cast<const float4*>(vectors + s * WIDTH + k);
      sums[s] += weights[0] * own.x + weights[1] * own.y + weights[2] * own.z + weights[3] * own.w;
    }
  }
}

// Sums over the lanes; every lane has them afterwards.
template <int S>
__device__ inline void overLanes(float (&sums)[S]) {
#pragma unroll
  for (int distance = LANES / 2; distance > 0; distance /= 2) {
#pragma unroll
    for (int s = 0; s < S; s++) sums[s] += otherLane(sums[s], distance);
  }
}

// sums[s] for an `s` that only the run knows, without an array in memory.
template <int S>
__device__ inline float pick(const float (&sums)[S], int s) {
  float own = sums[0];
#pragma unroll
  for (int t = 1; t < S; t++) own = t == s ? sums[t] : own;
  return own;
}

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// 0: relu, 1: sigmoid, 2: tanh.
template <int ACTIVATION>
__device__ inline float activated(float x) {
  if (ACTIVATION == 0) return x > 0.0f ? x : 0.0f;
  return ACTIVATION == 1 ? sigmoid(x) : tanhf(x);
}

// Weights as in the checkpoint, rows of outputs; W is bfloat16's bits or float.
template <class W>
struct Weights {
  const W* embedding;         // [CLASSES, HIDDEN]
  const W *inputs, *hiddens;  // [LAYERS, 4 · HIDDEN, HIDDEN]; gates i, f, g, o
  const float* gateBias;      // [LAYERS, 4 · HIDDEN]
  const W* predictor;         // [JOINT, HIDDEN]
  const float* predictorBias;
  const W* out;  // [CLASSES + KINDS, JOINT]
  const float* outBias;
  const int* durations;  // [KINDS]
};

template <class W>
__device__ inline Weights<W> weightsOf(const W* embedding, const W* inputs, const W* hiddens, const float* gateBias,
                                       const W* predictor, const float* predictorBias, const W* out,
                                       const float* outBias, const int* durations) {
  return {embedding, inputs, hiddens, gateBias, predictor, predictorBias, out, outBias, durations};
}

// Unsigned numbers between the counters of two teams: lines of the cache of their own.
constexpr int counterStride = 32;
constexpr int tokenSize = 7;

// Puts the values 0 … COUNT − 1 that `of` gives where `put` says. Some are read before the first is written, so that
// they are on their way together.
template <int COUNT, class Of, class Put>
__device__ inline void copyAll(Of of, Put put) {
  constexpr int together = 5;
  for (int first = threadIdx.x; first < COUNT; first += together * blockDim.x) {
    float values[together];
#pragma unroll
    for (int i = 0; i < together; i++) {
      const int at = first + i * blockDim.x;
      values[i] = at < COUNT ? of(at) : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < together; i++) {
      const int at = first + i * blockDim.x;
      if (at < COUNT) put(at, values[i]);
    }
  }
}

// How the products of a team's S streams are made. A lane has the results of `ofLane` streams.
template <int S, int HIDDEN, int JOINT, class W>
struct Products {
  // Both halves of the predictor's rows, and those of the joint, are whole tiles.
  static constexpr bool tiled =
      TENSOR_CORES && S == tileVectors && sizeof(W) == 2 && HIDDEN % (2 * tileValues) == 0 && JOINT % tileValues == 0;
  static constexpr int ofLane = tiled ? 2 : (S + LANES - 1) / LANES;
  __device__ static int streamOf(int lane, int i) { return tiled ? lane % 4 * 2 + i : lane + i * LANES; }
};

// numbers: how many teams there are and how many tokens each stream has room for (`room`); then, team by team, of each
// of its S streams the first row of `frames`, the end, the pointer and the symbols, [4, S].
// All that follows is one team's; the other teams' come behind it, `counterStride` apart in `counter`.
// states: [S, 2 · LAYERS · HIDDEN + JOINT]: hidden, cell, projection.
// result: [S, room, tokenSize] tokens (id, frame, place of the duration, and the four values of ops::Spread); states as
// they came; [S, 3] pointer, symbols, tokens; whether it failed. All of `result`, `work` and `counter` is 0 at the
// start.
// work: 2 · blocks · S tallies of tallySize values; then 2 · LAYERS · S · HIDDEN, LAYERS · S · HIDDEN and 2 · S · JOINT values,
// with the blocks of a team: those of the grid divided by the teams. What is left over has nothing to do.
// KINDS is 0 for a transducer without durations. The last class is the blank.
template <int S, int LAYERS, int HIDDEN, int JOINT, int CLASSES, int KINDS, int ACTIVATION, int MOST_SYMBOLS, class W>
__device__ inline void decode(const int* numbers, const float* frames, const float* states, const Weights<W>& weights,
                       float* result, float* work, unsigned* counter) {
  using Own = Products<S, HIDDEN, JOINT, W>;
  constexpr bool tiled = Own::tiled;
  constexpr int outputs = CLASSES + KINDS, stateWidth = 2 * LAYERS * HIDDEN + JOINT;
  constexpr int wide = HIDDEN > JOINT ? HIDDEN : JOINT, mostWarps = 32;
  constexpr int mostUnits = tiled ? 2 * mostWarps : 8;
  // Two halves have the size of a float.
  __shared__ __align__(16) float vectors[S * (tiled ? strideOf(wide) : wide)];
  // A block has room for 48 KiB. What the predictor read before, or its gates, and the tallies of the joint are never
  // needed at the same time.
  constexpr int beforeOfOne = tiled ? 2 * 4 * mostUnits : HIDDEN;
  __shared__ __align__(16) float before[S * (beforeOfOne > mostWarps * tallySize ? beforeOfOne : mostWarps * tallySize)];
  Tally* const tallies = reinterpret_cast<Tally*>(before);
  __shared__ float gatesOfRows[tiled ? 1 : mostUnits * 4 * S];
  float* const gates = tiled ? before : gatesOfRows;  // tiled: [2, 4 · unitsAtOnce, S], of each half of the values
  const Halves halves{reinterpret_cast<unsigned short*>(vectors),
                      reinterpret_cast<unsigned short*>(vectors) + S * strideOf(wide), strideOf(wide)};
  const auto put = [&](int s, int k, int width, float value) {
    if constexpr (tiled)
      halves.put(s, k, value);
    else
      vectors[s * width + k] = value;
  };
  __shared__ int token[S], pointer[S], symbols[S], end[S], count[S], found[S];

  const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, warps = blockDim.x / LANES;
  // Of a tile's rows, which are four units', a warp takes half of the values.
  const int unitsAtOnce = tiled ? 2 * warps : mostUnits;
  const int teams = numbers[0], room = numbers[1], blocks = gridDim.x / teams, team = blockIdx.x / blocks;
  if (team >= teams) return;
  const int block = blockIdx.x % blocks, thread = block * blockDim.x + threadIdx.x;
  const int threads = blocks * blockDim.x, warpOfAll = block * warps + warp, warpsOfAll = blocks * warps;
  numbers += 2 + 4 * S * team;
  states += team * S * stateWidth;
  result += team * (static_cast<long>(S) * room * tokenSize + S * stateWidth + 3 * S + 1);
  work += team * S * (2 * blocks * tallySize + 3 * LAYERS * HIDDEN + 2 * JOINT);
  counter += counterStride * team;

  Tally* const partial = reinterpret_cast<Tally*>(work);  // [2, blocks, S]
  float* const hidden = work + 2 * blocks * S * tallySize;  // [2, LAYERS, S, HIDDEN]
  float* const cell = hidden + 2 * LAYERS * S * HIDDEN;   // [LAYERS, S, HIDDEN]
  float* const projection = cell + LAYERS * S * HIDDEN;   // [2, S, JOINT]
  float* const statesOut = result + static_cast<long>(S) * room * tokenSize;
  float* const places = statesOut + S * stateWidth;
  Team mates{static_cast<unsigned>(blocks), counter, places + 3 * S};

  for (int i = thread; i < S * stateWidth; i += threads) {
    const int s = i / stateWidth, k = i % stateWidth;
    if (k < LAYERS * HIDDEN)
      hidden[(k / HIDDEN * S + s) * HIDDEN + k % HIDDEN] = states[i];
    else if (k < 2 * LAYERS * HIDDEN)
      cell[((k / HIDDEN - LAYERS) * S + s) * HIDDEN + k % HIDDEN] = states[i];
    else
      projection[s * JOINT + k - 2 * LAYERS * HIDDEN] = states[i];
  }
  for (int s = threadIdx.x; s < S; s += blockDim.x) {
    end[s] = numbers[S + s];
    pointer[s] = numbers[2 * S + s];
    symbols[s] = numbers[3 * S + s];
    count[s] = 0;
  }
  if (!mates.meet()) return;

  int now = 0;  // which half of `hidden` and `projection` counts
  for (int parity = 0;; parity ^= 1) {
    bool going = false;
    for (int s = 0; s < S; s++) going = going || (pointer[s] < end[s] && count[s] < room);
    if (!going) break;

    // The joint's inputs of all streams, in every block.
    copyAll<S * JOINT>(
        [&](int i) {
          const int s = i / JOINT, k = i % JOINT;
          const int frame = pointer[s] < end[s] ? pointer[s] : end[s] - 1;
          const float of = frame < 0 ? 0.0f : frames[static_cast<long>(numbers[s] + frame) * JOINT + k];
          return activated<ACTIVATION>(of + loadFresh(projection + (now * S + s) * JOINT + k));
        },
        [&](int i, float value) { put(i / JOINT, i % JOINT, JOINT, value); });
    __syncthreads();
    Tally own[Own::ofLane];
    for (int i = 0; i < Own::ofLane; i++) own[i] = nothing();
    const auto score = [&](Tally& tally, int row, float product) {
      const float logit = product + weights.outBias[row];
      if (row < CLASSES)
        addClass(tally, logit, row);
      else
        addKind(tally, logit, row - CLASSES);
    };
    if constexpr (tiled) {
      for (int tile = warpOfAll * tileRows; tile < outputs; tile += warpsOfAll * tileRows) {
        float sums[4] = {};
        // Rows behind the last one are that one again.
        multiplyTile(
            [&](int i) {
              const int row = tile + i < outputs ? tile + i : outputs - 1;
              return weights.out + static_cast<long>(row) * JOINT;
            },
            halves, 0, JOINT, lane, sums);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const int row = tile + lane / 4 + i / 2 * 8;
          if (row < outputs) score(own[i % 2], row, sums[i]);
        }
      }
      for (int i = 0; i < Own::ofLane; i++) own[i] = tallyOverLanes(own[i], 4);
    } else {
      for (int row = warpOfAll; row < outputs; row += warpsOfAll) {
        float sums[S] = {};
        multiply<S, JOINT>(weights.out + static_cast<long>(row) * JOINT, vectors, lane, sums);
        overLanes(sums);
        for (int i = 0; i < Own::ofLane; i++) {
          if (Own::streamOf(lane, i) < S) score(own[i], row, pick(sums, Own::streamOf(lane, i)));
        }
      }
    }
    for (int i = 0; i < Own::ofLane; i++) {
      const bool has = tiled ? lane < 4 : Own::streamOf(lane, i) < S;
      if (has) tallies[warp * S + Own::streamOf(lane, i)] = own[i];
    }
    __syncthreads();
    for (int s = warp; s < S; s += warps) {
      Tally ofBlock = nothing();
      for (int w = lane; w < warps; w += LANES) ofBlock = merged(ofBlock, tallies[w * S + s]);
      ofBlock = tallyOverLanes(ofBlock);
      if (lane == 0) partial[(parity * blocks + block) * S + s] = ofBlock;
    }
    if (!mates.meet()) return;

    // The choice of each stream, in every block.
    for (int s = warp; s < S; s += warps) {
      Tally all = nothing();
      for (int b = lane; b < blocks; b += LANES) {
        const float* from = reinterpret_cast<const float*>(partial + (parity * blocks + b) * S + s);
        const float4 first = loadFreshFour(from), last = loadFreshFour(from + 4);
        all = merged(all, {first.x, first.y, first.z, first.w, last.x, __float_as_int(last.y), last.z,
                           __float_as_int(last.w)});
      }
      all = tallyOverLanes(all);
      if (lane != 0) continue;
      const bool active = pointer[s] < end[s] && count[s] < room, blank = all.at == CLASSES - 1;
      token[s] = all.at;
      found[s] = active && !blank;
      if (!active) continue;
      int step = KINDS == 0 ? (blank ? 1 : 0) : weights.durations[all.kind];
      if (!blank) {
        if (block == 0) {
          float* to = result + (static_cast<long>(s) * room + count[s]) * tokenSize;
          to[0] = static_cast<float>(all.at);
          to[1] = static_cast<float>(pointer[s]);
          to[2] = static_cast<float>(all.kind);
          to[3] = all.sum;
          to[4] = all.weighted / all.sum - all.most;
          to[5] = all.thirds;
          to[6] = all.second - all.most;
        }
        count[s]++;
        symbols[s]++;
      }
      if ((blank || symbols[s] >= MOST_SYMBOLS) && step < 1) step = 1;
      if (step > 0) symbols[s] = 0;
      pointer[s] += step;
    }
    __syncthreads();
    bool any = false;
    for (int s = 0; s < S; s++) any = any || found[s];
    if (!any) continue;

    // The predictor takes the tokens that were found.
    const int next = now ^ 1;
    for (int layer = 0; layer < LAYERS; layer++) {
      const auto inputOf = [&](int s, int k) {
        return layer == 0 ? widened(weights.embedding[static_cast<long>(token[s]) * HIDDEN + k])
                          : loadFresh(hidden + ((next * LAYERS + layer - 1) * S + s) * HIDDEN + k);
      };
      const auto beforeOf = [&](int s, int k) { return loadFresh(hidden + ((now * LAYERS + layer) * S + s) * HIDDEN + k); };
      const long firstRow = static_cast<long>(layer) * 4 * HIDDEN;
      // The next value of a unit of a stream, with the products of its gates.
      const auto update = [&](int s, int unit, const float (&own)[4]) {
        float value = beforeOf(s, unit);
        if (found[s]) {
          float* kept = cell + (layer * S + s) * HIDDEN + unit;
          const auto gate = [&](int which) { return own[which] + weights.gateBias[firstRow + which * HIDDEN + unit]; };
          const float cells = sigmoid(gate(1)) * *kept + sigmoid(gate(0)) * tanhf(gate(2));
          *kept = cells;
          value = sigmoid(gate(3)) * tanhf(cells);
        }
        hidden[((next * LAYERS + layer) * S + s) * HIDDEN + unit] = value;
      };
      // Units block, block + blocks, … are this block's.
      const int units = (HIDDEN - block + blocks - 1) / blocks;
      if constexpr (tiled) {
        for (int first = 0; first < units; first += unitsAtOnce) {
          const int here = units - first < unitsAtOnce ? units - first : unitsAtOnce;
          const int tile = warp / 2 * tileRows, half = warp % 2 * (HIDDEN / 2);
          float sums[4] = {};
          for (int which = 0; which < 2; which++) {
            const auto toVectors = [&](int i, float value) { put(i / HIDDEN, i % HIDDEN, HIDDEN, value); };
            if (which == 0)
              copyAll<S * HIDDEN>([&](int i) { return inputOf(i / HIDDEN, i % HIDDEN); }, toVectors);
            else
              copyAll<S * HIDDEN>([&](int i) { return beforeOf(i / HIDDEN, i % HIDDEN); }, toVectors);
            __syncthreads();
            const W* const rows = which == 0 ? weights.inputs : weights.hiddens;
            if (tile < 4 * here) {
              multiplyTile(
                  [&](int i) {
                    // Units behind the last one are that one again.
                    const int row = tile + i < 4 * here ? tile + i : 4 * here - 4 + i % 4;
                    const int unit = block + (first + row / 4) * blocks;
                    return rows + (firstRow + row % 4 * HIDDEN + unit) * HIDDEN;
                  },
                  halves, half, half + HIDDEN / 2, lane, sums);
            }
            __syncthreads();
          }
#pragma unroll
          for (int i = 0; i < 4; i++) {
            const int row = tile + lane / 4 + i / 2 * 8;
            if (row < 4 * here) gates[(warp % 2 * 4 * unitsAtOnce + row) * S + Own::streamOf(lane, i % 2)] = sums[i];
          }
          __syncthreads();
          for (int i = threadIdx.x; i < here * S; i += blockDim.x) {
            const float* const ofUnit = gates + i / S * 4 * S + i % S;
            float own[4];
#pragma unroll
            for (int gate = 0; gate < 4; gate++) own[gate] = ofUnit[gate * S] + ofUnit[(4 * unitsAtOnce + gate) * S];
            update(i % S, block + (first + i / S) * blocks, own);
          }
          __syncthreads();
        }
      } else {
        copyAll<S * HIDDEN>([&](int i) { return inputOf(i / HIDDEN, i % HIDDEN); },
                            [&](int i, float value) { vectors[i] = value; });
        copyAll<S * HIDDEN>([&](int i) { return beforeOf(i / HIDDEN, i % HIDDEN); },
                            [&](int i, float value) { before[i] = value; });
        __syncthreads();
        for (int first = 0; first < units; first += unitsAtOnce) {
          const int here = units - first < unitsAtOnce ? units - first : unitsAtOnce;
          for (int row = warp; row < 4 * here; row += warps) {
            const long at = firstRow + row % 4 * HIDDEN + block + (first + row / 4) * blocks;
            float sums[S] = {};
            multiply<S, HIDDEN>(weights.inputs + at * HIDDEN, vectors, lane, sums);
            multiply<S, HIDDEN>(weights.hiddens + at * HIDDEN, before, lane, sums);
            overLanes(sums);
            for (int s = lane; s < S; s += LANES) gates[row * S + s] = pick(sums, s);
          }
          __syncthreads();
          for (int i = threadIdx.x; i < here * S; i += blockDim.x) {
            const float* const ofUnit = gates + i / S * 4 * S + i % S;
            const float own[4] = {ofUnit[0], ofUnit[S], ofUnit[2 * S], ofUnit[3 * S]};
            update(i % S, block + (first + i / S) * blocks, own);
          }
          __syncthreads();
        }
      }
      if (!mates.meet()) return;
    }
    copyAll<S * HIDDEN>([&](int i) { return loadFresh(hidden + (next * LAYERS + LAYERS - 1) * S * HIDDEN + i); },
                        [&](int i, float value) { put(i / HIDDEN, i % HIDDEN, HIDDEN, value); });
    __syncthreads();
    const auto project = [&](int s, int row, float product) {
      projection[(next * S + s) * JOINT + row] = found[s] ? product + weights.predictorBias[row]
                                                          : loadFresh(projection + (now * S + s) * JOINT + row);
    };
    if constexpr (tiled) {
      // There are few rows: four warps have a quarter of the values of a tile's rows each.
      constexpr int tiles = JOINT / tileRows, steps = HIDDEN / tileValues;
      const int parts = warps < 4 ? warps : 4, part = warp % parts, tilesAtOnce = warps / parts;
      const int from = steps * part / parts * tileValues, until = steps * (part + 1) / parts * tileValues;
      float* const sumsOfTiles = before;  // [tilesAtOnce, parts, tileRows, S]
      for (int first = block; first < tiles; first += blocks * tilesAtOnce) {
        const int tile = first + warp / parts * blocks;
        float sums[4] = {};
        if (tile < tiles && warp / parts < tilesAtOnce) {
          multiplyTile([&](int i) { return weights.predictor + static_cast<long>(tile * tileRows + i) * HIDDEN; },
                       halves, from, until, lane, sums);
#pragma unroll
          for (int i = 0; i < 4; i++)
            sumsOfTiles[(warp * tileRows + lane / 4 + i / 2 * 8) * S + Own::streamOf(lane, i % 2)] = sums[i];
        }
        __syncthreads();
        for (int i = threadIdx.x; i < tilesAtOnce * tileRows * S; i += blockDim.x) {
          const int of = i / (tileRows * S), row = (first + of * blocks) * tileRows + i / S % tileRows;
          if (row >= JOINT) continue;
          float sum = 0.0f;
          for (int k = 0; k < parts; k++) sum += sumsOfTiles[((of * parts + k) * tileRows + i / S % tileRows) * S + i % S];
          project(i % S, row, sum);
        }
        __syncthreads();
      }
    } else {
      for (int row = warpOfAll; row < JOINT; row += warpsOfAll) {
        float sums[S] = {};
        multiply<S, HIDDEN>(weights.predictor + static_cast<long>(row) * HIDDEN, vectors, lane, sums);
        overLanes(sums);
        for (int s = lane; s < S; s += LANES) project(s, row, pick(sums, s));
      }
    }
    if (!mates.meet()) return;
    now = next;
  }

  for (int i = thread; i < S * stateWidth; i += threads) {
    const int s = i / stateWidth, k = i % stateWidth;
    if (k < LAYERS * HIDDEN)
      statesOut[i] = loadFresh(hidden + ((now * LAYERS + k / HIDDEN) * S + s) * HIDDEN + k % HIDDEN);
    else if (k < 2 * LAYERS * HIDDEN)
      statesOut[i] = loadFresh(cell + ((k / HIDDEN - LAYERS) * S + s) * HIDDEN + k % HIDDEN);
    else
      statesOut[i] = loadFresh(projection + (now * S + s) * JOINT + k - 2 * LAYERS * HIDDEN);
  }
  for (int s = threadIdx.x; block == 0 && s < S; s += blockDim.x) {
    places[3 * s] = static_cast<float>(pointer[s]);
    places[3 * s + 1] = static_cast<float>(symbols[s]);
    places[3 * s + 2] = static_cast<float>(count[s]);
  }
}

}  // namespace parakeet_greedy
