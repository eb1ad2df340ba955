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

// What scoring the outputs of the joint tells of one stream: of the classes the best, Σ eˣ⁻ᵐ, Σ x eˣ⁻ᵐ and Σ e^((x−m)/3)
// with m the best one's logit, and the second largest logit; of the durations the best.
struct Tally {
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

__device__ inline Tally ofOtherLane(const Tally& tally, int distance) {
  return {otherLane(tally.most, distance),     otherLane(tally.sum, distance),    otherLane(tally.weighted, distance),
          otherLane(tally.thirds, distance),   otherLane(tally.second, distance), otherLane(tally.at, distance),
          otherLane(tally.kindMost, distance), otherLane(tally.kind, distance)};
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
      for (long spins = 0; loadFresh(counter) < meetings * blocks; spins++) {
        if (spins > 50000000 || loadFresh(failed) != 0.0f) {
          *reinterpret_cast<volatile float*>(failed) = 1.0f;
          break;
        }
      }
      __threadfence();
    }
    __syncthreads();
    return loadFresh(failed) == 0.0f;
  }
};

__device__ inline float widened(unsigned short bits) { return __uint_as_float(static_cast<unsigned>(bits) << 16); }
__device__ inline float widened(float value) { return value; }

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

constexpr int tileRows = 16, tileStreams = 8, tileValues = 32;

// Values of a vector and of what follows it, so that the lanes of a warp read different banks.
__device__ constexpr int strideOf(int width) { return width + (96 - width % 64) % 64; }

struct __align__(16) Eight {
  unsigned x, y, z, w;  // two values each
};

__device__ inline unsigned short narrowed(float value) {
  const unsigned bits = __float_as_uint(value);
  return static_cast<unsigned short>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Vectors of eight streams, each value as the sum of two.
struct Halves {
  unsigned short *high, *low;  // [tileStreams, stride]
  int stride;
  __device__ void put(int s, int k, float value) const {
    const unsigned short own = narrowed(value);
    high[s * stride + k] = own;
    low[s * stride + k] = narrowed(value - widened(own));
  }
};

// Adds the products of 16 rows, `rowOf(0)` to `rowOf(15)`, with the vectors' values from `from` on, before `until`.
// Afterwards a lane has those of the rows lane / 4 and lane / 4 + 8 (sums[2], sums[3]) with the streams
// 2 · (lane % 4) and the one after it. Which values a tensor core takes for neighbours does not matter as long as
// rows and vectors agree on it: a lane reads eight in a row.
template <class RowOf>
__device__ inline void multiplyTile(RowOf rowOf, const Halves& vectors, int from, int until, int lane,
                                    float (&sums)[4]) {
  const int group = lane / 4, place = lane % 4 * 8;
  const unsigned short *first = rowOf(group) + place, *second = rowOf(group + 8) + place;
  const unsigned short *high = vectors.high + group * vectors.stride + place,
                       *low = vectors.low + group * vectors.stride + place;
  float lows[4] = {};
#pragma unroll 2
  for (int k = from; k < until; k += tileValues) {
    const Eight a = *reinterpret_cast<const Eight*>(first + k), b = *reinterpret_cast<const Eight*>(second + k);
    const Eight h = *reinterpret_cast<const Eight*>(high + k), l = *reinterpret_cast<const Eight*>(low + k);
    tensorProduct(sums, a.x, b.x, a.y, b.y, h.x, h.y);
    tensorProduct(lows, a.x, b.x, a.y, b.y, l.x, l.y);
    tensorProduct(sums, a.z, b.z, a.w, b.w, h.z, h.w);
    tensorProduct(lows, a.z, b.z, a.w, b.w, l.z, l.w);
  }
#pragma unroll
  for (int i = 0; i < 4; i++) sums[i] += lows[i];
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

// How the products of a team's S streams are made. A lane has the results of `ofLane` streams.
template <int S, int HIDDEN, int JOINT, class W>
struct Products {
  // Both halves of the predictor's rows, and those of the joint, are whole tiles.
  static constexpr bool tiled =
      TENSOR_CORES && S == tileStreams && sizeof(W) == 2 && HIDDEN % (2 * tileValues) == 0 && JOINT % tileValues == 0;
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
    for (int i = threadIdx.x; i < S * JOINT; i += blockDim.x) {
      const int s = i / JOINT, k = i % JOINT;
      const int frame = pointer[s] < end[s] ? pointer[s] : end[s] - 1;
      const float of = frame < 0 ? 0.0f : frames[static_cast<long>(numbers[s] + frame) * JOINT + k];
      put(s, k, JOINT, activated<ACTIVATION>(of + loadFresh(projection + (now * S + s) * JOINT + k)));
    }
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
      for (int distance = 4; distance < LANES; distance *= 2) {
        for (int i = 0; i < Own::ofLane; i++) own[i] = merged(own[i], ofOtherLane(own[i], distance));
      }
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
    for (int s = threadIdx.x; s < S; s += blockDim.x) {
      Tally ofBlock = tallies[s];
      for (int w = 1; w < warps; w++) ofBlock = merged(ofBlock, tallies[w * S + s]);
      partial[(parity * blocks + block) * S + s] = ofBlock;
    }
    if (!mates.meet()) return;

    // The choice of each stream, in every block.
    for (int s = warp; s < S; s += warps) {
      Tally all = nothing();
      for (int b = lane; b < blocks; b += LANES) {
        const float* from = reinterpret_cast<const float*>(partial + (parity * blocks + b) * S + s);
        all = merged(all, {loadFresh(from), loadFresh(from + 1), loadFresh(from + 2), loadFresh(from + 3),
                           loadFresh(from + 4), __float_as_int(loadFresh(from + 5)), loadFresh(from + 6),
                           __float_as_int(loadFresh(from + 7))});
      }
      for (int distance = LANES / 2; distance > 0; distance /= 2) all = merged(all, ofOtherLane(all, distance));
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
            for (int i = threadIdx.x; i < S * HIDDEN; i += blockDim.x) {
              const int s = i / HIDDEN, k = i % HIDDEN;
              put(s, k, HIDDEN, which == 0 ? inputOf(s, k) : beforeOf(s, k));
            }
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
        for (int i = threadIdx.x; i < S * HIDDEN; i += blockDim.x) {
          vectors[i] = inputOf(i / HIDDEN, i % HIDDEN);
          before[i] = beforeOf(i / HIDDEN, i % HIDDEN);
        }
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
    for (int i = threadIdx.x; i < S * HIDDEN; i += blockDim.x)
      put(i / HIDDEN, i % HIDDEN, HIDDEN, loadFresh(hidden + (next * LAYERS + LAYERS - 1) * S * HIDDEN + i));
    __syncthreads();
    const auto project = [&](int s, int row, float product) {
      projection[(next * S + s) * JOINT + row] = found[s] ? product + weights.predictorBias[row]
                                                          : loadFresh(projection + (now * S + s) * JOINT + row);
    };
    if constexpr (tiled) {
      for (int tile = warpOfAll * tileRows; tile < JOINT; tile += warpsOfAll * tileRows) {
        float sums[4] = {};
        multiplyTile([&](int i) { return weights.predictor + static_cast<long>(tile + i) * HIDDEN; }, halves, 0, HIDDEN,
                     lane, sums);
#pragma unroll
        for (int i = 0; i < 4; i++) project(Own::streamOf(lane, i % 2), tile + lane / 4 + i / 2 * 8, sums[i]);
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
