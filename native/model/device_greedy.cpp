#include "model/device_greedy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ops/device_timer.h"
#include "ops/transfer.h"
#include "ops/types.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

using Arrays = ops::Fused::Arrays;

// Rounds that are queued before their results are read, and the rows of the joint that they may have together.
constexpr int mostRounds = 24, fewestRounds = 2, mostRows = 8192;
// With fewer streams the CPU is faster than rounds: it does not wait for kernels to be queued.
constexpr size_t fewestByRounds = 4;
// The kernel takes 64 streams at a time: with very many streams rounds are faster, unless there are few frames. (On an
// H200 a round takes about a millisecond for any number of streams, one of the kernel 0.05 to 0.2 ms.)
constexpr int mostByKernel = 256, fewFrames = 64;
// Frames that a round moves on by, on average: text has about as many tokens as pauses, of one to four frames.
constexpr double framesOfRound = 1.7;

mx::array weight(const Weights& weights, const std::string& name, const std::vector<int64_t>& shape) {
  mx::Shape own;
  for (const int64_t size : shape) own.push_back(static_cast<int>(size));
  return ops::fromVector(weights.take(name, shape), own);
}

// [outputs, inputs] as it multiplies rows.
mx::array product(const Weights& weights, const std::string& name, const std::vector<int64_t>& shape) {
  return mx::transpose(weight(weights, name, shape));
}

mx::array activated(const mx::array& x, const std::string& activation) {
  if (activation == "relu") return mx::maximum(x, mx::array(0.0f));
  return activation == "sigmoid" ? mx::sigmoid(x) : mx::tanh(x);
}

mx::array durationsOf(const ModelConfig& config) {
  const std::vector<int> one{0}, &own = config.durations.empty() ? one : config.durations;
  return ops::resident(mx::array(own.begin(), {static_cast<int>(own.size())}, mx::int32));
}

mx::array integer(int value) { return mx::array(value, mx::int32); }

}  // namespace

DeviceGreedy::DeviceGreedy(const ModelConfig& config, const Weights& weights, ops::DType dtype,
                           std::optional<size_t> fewest)
    : kernel_(GreedyKernel::make(config, weights, dtype)),
      fewest_(fewest.value_or(kernel_ ? 1 : fewestByRounds)),
      hidden_(config.predictor.hidden),
      jointHidden_(config.joint.hidden),
      classes_(config.vocabulary + 1),
      rules_{config.vocabulary, config.durations, config.maxSymbols},
      embedding_(weight(weights, "decoder.prediction.embed.weight", {classes_, hidden_})),
      predictor_(product(weights, "joint.pred.weight", {jointHidden_, hidden_})),
      predictorBias_(weight(weights, "joint.pred.bias", {jointHidden_})),
      out_(product(weights, "joint.joint_net.2.weight",
                   {classes_ + static_cast<int>(config.durations.size()), jointHidden_})),
      outBias_(weight(weights, "joint.joint_net.2.bias", {classes_ + static_cast<int>(config.durations.size())})),
      durations_(durationsOf(config)),
      places_(mx::arange(0, classes_, mx::uint32)),
      // offset, pointer, end → the row of the frame; of a stream that is over, any row
      frameOf_([](const Arrays& in) -> Arrays {
        return {in[0] + mx::maximum(mx::minimum(in[1], in[2] - integer(1)), integer(0))};
      }),
      join_([activation = config.joint.activation](const Arrays& in) -> Arrays {
        return {activated(in[0] + in[1], activation)};
      }),
      // token, duration (or its place), pointer, symbols, end → pointer, symbols, whether a token was found
      move_([rules = rules_](const Arrays& in) -> Arrays {
        const mx::array &token = in[0], &pointer = in[2], &symbols = in[3];
        const mx::array active = mx::less(pointer, in[4]);
        const mx::array blank = mx::equal(token, integer(rules.vocabulary));
        const mx::array emits = mx::logical_and(active, mx::logical_not(blank));
        const mx::array step = rules.durations.empty() ? mx::where(blank, integer(1), integer(0)) : in[1];
        const mx::array counted = symbols + mx::where(emits, integer(1), integer(0));
        const mx::array forced = mx::logical_or(blank, mx::greater_equal(counted, integer(rules.maxSymbols)));
        const mx::array moved = mx::where(forced, mx::maximum(step, integer(1)), step);
        const mx::array left = mx::where(mx::greater(moved, integer(0)), integer(0), counted);
        return {mx::where(active, pointer + moved, pointer), mx::where(active, left, symbols), emits};
      }),
      // gates i, f, g, o [B, hidden]; cell, hidden, whether a token was found [B, 1] → cell, hidden
      cells_([](const Arrays& in) -> Arrays {
        const mx::array next = mx::sigmoid(in[1]) * in[4] + mx::sigmoid(in[0]) * mx::tanh(in[2]);
        return {mx::where(in[6], next, in[4]), mx::where(in[6], mx::sigmoid(in[3]) * mx::tanh(next), in[5])};
      }),
      // y, the logits less the largest → eʸ, y eʸ, e^(y/3)
      spread_([](const Arrays& in) -> Arrays {
        const mx::array root = mx::exp(in[0] * mx::array(1.0f / 3));
        const mx::array power = root * root * root;
        return {power, power * in[0], root};
      }) {
  std::vector<mx::array> made{embedding_, predictor_, predictorBias_, out_, outBias_, durations_, places_};
  for (int i = 0; i < config.predictor.layers; i++) {
    const std::string name = "decoder.prediction.dec_rnn.lstm." + std::to_string(i);
    layers_.push_back({product(weights, name + ".Wx", {4 * hidden_, hidden_}),
                       product(weights, name + ".Wh", {4 * hidden_, hidden_}),
                       weight(weights, name + ".bias", {4 * hidden_})});
    made.insert(made.end(), {layers_.back().inputs, layers_.back().recurrent, layers_.back().bias});
  }
  mx::eval(made);
}

// The streams of a batch. What the device does is repeated here from its choices: pointers and symbols are not read
// back.
struct DeviceGreedy::Rounds {
  struct Stream {
    const DecoderJob* job;
    TransducerState* state;
    int64_t pointer;  // frames from the first one on, as `end`
    int symbols;
    int64_t end;
    Tokens found = {};
    bool over() const { return pointer >= end; }
  };
  std::vector<Stream> streams;
  mx::array frames = mx::array(0.0f);             // [rows, joint hidden]
  mx::array offsets = frames, ends = frames;      // [B]
  mx::array pointers = frames, symbols = frames;  // [B]
  std::vector<int32_t> firstRows;                 // as `offsets`
  std::vector<mx::array> hidden, cell;            // [B, hidden] each, by layer
  mx::array projection = frames;                  // [B, joint hidden]
  std::vector<mx::array> choices, mixed;          // of each round: token, place of the duration [B]; [B, joint]
  int batch() const { return static_cast<int>(streams.size()); }

  // What the device reads from the host's memory is slow to come, and so is what it writes there: all numbers go in one
  // array and all states in another, and both come back in one.
  void upload(int layers, int hiddenWidth, int jointWidth) {
    std::vector<int32_t> numbers = firstRows;
    for (const Stream& stream : streams) numbers.push_back(static_cast<int32_t>(stream.end));
    for (const Stream& stream : streams) numbers.push_back(static_cast<int32_t>(stream.pointer));
    for (const Stream& stream : streams) numbers.push_back(stream.symbols);
    const mx::array integers = ops::uploaded(numbers, {4, batch()});
    const auto row = [&](int which) { return mx::squeeze(mx::slice(integers, {which, 0}, {which + 1, batch()}), 0); };
    offsets = row(0);
    ends = row(1);
    pointers = row(2);
    symbols = row(3);
    std::vector<float> values;
    for (const Stream& stream : streams) {
      const std::vector<float> own = stateOf(stream);
      values.insert(values.end(), own.begin(), own.end());
    }
    const int width = static_cast<int>(values.size()) / batch();
    const mx::array states = ops::uploaded(values, {batch(), width});
    const auto columns = [&](int first, int count) { return mx::slice(states, {0, first}, {batch(), first + count}); };
    for (int i = 0; i < layers; i++) {
      hidden.push_back(mx::contiguous(columns(i * hiddenWidth, hiddenWidth)));
      cell.push_back(columns((layers + i) * hiddenWidth, hiddenWidth));
    }
    projection = columns(2 * layers * hiddenWidth, jointWidth);
  }

  static std::vector<float> stateOf(const Stream& stream) {
    const PredictorState& own = stream.state->predictor;
    std::vector<float> values = own.hidden;
    values.insert(values.end(), own.cell.begin(), own.cell.end());
    values.insert(values.end(), own.projection.begin(), own.projection.end());
    return values;
  }

  // [B, width], as they were uploaded.
  mx::array states() const {
    std::vector<mx::array> parts = hidden;
    parts.insert(parts.end(), cell.begin(), cell.end());
    parts.push_back(projection);
    return mx::concatenate(parts, 1);
  }

  void putBack(const float* values) const {
    for (const Stream& stream : streams) {
      PredictorState& own = stream.state->predictor;
      for (std::vector<float>* part : {&own.hidden, &own.cell, &own.projection}) {
        std::copy_n(values, part->size(), part->data());
        values += part->size();
      }
    }
  }
};

void DeviceGreedy::round(Rounds& rounds) const {
  const mx::array rows = frameOf_({rounds.offsets, rounds.pointers, rounds.ends});
  const mx::array mixed = join_({mx::take(rounds.frames, rows, 0), rounds.projection});
  const mx::array logits = mx::addmm(outBias_, mixed, out_);
  const int batch = rounds.batch(), outputs = out_.shape(1);
  const mx::array token = mx::astype(mx::argmax(mx::slice(logits, {0, 0}, {batch, classes_}), 1), mx::int32);
  const mx::array place =
      rules_.durations.empty()
          ? token
          : mx::astype(mx::argmax(mx::slice(logits, {0, classes_}, {batch, outputs}), 1), mx::int32);
  const mx::array duration = rules_.durations.empty() ? token : mx::take(durations_, place, 0);
  const Arrays moved = move_.all({token, duration, rounds.pointers, rounds.symbols, rounds.ends});
  rounds.choices.insert(rounds.choices.end(), {token, place});
  rounds.mixed.push_back(mixed);
  rounds.pointers = moved[0];
  rounds.symbols = moved[1];
  const mx::array found = mx::expand_dims(moved[2], 1);
  mx::array x = mx::take(embedding_, token, 0);
  for (size_t i = 0; i < layers_.size(); i++) {
    const LstmLayer& layer = layers_[i];
    const mx::array gates = mx::addmm(mx::addmm(layer.bias, x, layer.inputs), rounds.hidden[i], layer.recurrent);
    Arrays inputs;
    for (int k = 0; k < 4; k++) inputs.push_back(mx::slice(gates, {0, k * hidden_}, {batch, (k + 1) * hidden_}));
    inputs.insert(inputs.end(), {rounds.cell[i], rounds.hidden[i], found});
    const Arrays next = cells_.all(inputs);
    rounds.cell[i] = next[0];
    x = rounds.hidden[i] = next[1];
  }
  rounds.projection = mx::where(found, mx::addmm(predictorBias_, x, predictor_), rounds.projection);
}

mx::array DeviceGreedy::spreads(const mx::array& mixed) const {
  const mx::array logits = mx::slice(mx::addmm(outBias_, mixed, out_), {0, 0}, {mixed.shape(0), classes_});
  const mx::array best = mx::argmax(logits, -1, true);
  const mx::array y = logits - mx::take_along_axis(logits, best, -1);
  const Arrays parts = spread_.all({y});
  const auto sum = [](const mx::array& values) { return mx::sum(values, -1, true); };
  const mx::array total = sum(parts[0]);
  const mx::array others = mx::where(mx::equal(places_, best), mx::array(-1e30f), y);
  return mx::concatenate({total, sum(parts[1]) / total, sum(parts[2]), mx::max(others, -1, true)}, 1);
}

std::vector<float> DeviceGreedy::decodeByRounds(Rounds& rounds, Measure measure) const {
  rounds.upload(static_cast<int>(layers_.size()), hidden_, jointHidden_);
  const int batch = rounds.batch();
  std::vector<float> found;  // the states, after the rounds so far
  for (;;) {
    int64_t left = 0;
    for (const Rounds::Stream& stream : rounds.streams) left = std::max(left, stream.end - stream.pointer);
    if (left == 0) return found;
    const int most = std::clamp(mostRows / batch, fewestRounds, mostRounds);
    const int count = std::clamp(static_cast<int>(static_cast<double>(left) / framesOfRound) + 1, fewestRounds, most);
    for (int i = 0; i < count; i++) round(rounds);
    const mx::array choices = mx::astype(mx::concatenate(std::exchange(rounds.choices, {}), 0), mx::float32);
    const mx::array mixed = mx::concatenate(std::exchange(rounds.mixed, {}), 0);
    // Tokens and durations are small numbers, which float32 holds exactly.
    const mx::array states = mx::reshape(rounds.states(), {-1});
    const mx::array read = mx::concatenate({choices, mx::reshape(spreads(mixed), {-1}), states}, 0);
    // The state is evaluated with them: otherwise the next rounds would begin with these again.
    std::vector<mx::array> made{read, rounds.pointers, rounds.symbols, rounds.projection};
    made.insert(made.end(), rounds.hidden.begin(), rounds.hidden.end());
    made.insert(made.end(), rounds.cell.begin(), rounds.cell.end());
    mx::eval(made);
    const std::vector<float> values = ops::downloaded(read);
    const float* chosen = values.data();
    const float* sure = chosen + static_cast<ptrdiff_t>(2) * count * batch;
    const float* last = sure + static_cast<ptrdiff_t>(4) * count * batch;
    found.assign(last, last + states.size());
    for (int i = 0; i < count; i++) {
      for (int b = 0; b < batch; b++) {
        Rounds::Stream& stream = rounds.streams[b];
        if (stream.over()) continue;
        const int token = static_cast<int>(chosen[2 * i * batch + b]);
        const int place = static_cast<int>(chosen[(2 * i + 1) * batch + b]);
        if (token != rules_.vocabulary) {
          const float* own = sure + static_cast<ptrdiff_t>(4) * (i * batch + b);
          const float confidence = confidenceOf(measure, ops::Spread{own[0], own[1], own[2], own[3]}, classes_);
          stream.found.push_back(
              {token, stream.job->frames->firstFrame + stream.pointer, rules_.lasts(place), confidence});
        }
        rules_.move(token, place, stream.pointer, stream.symbols);
      }
    }
  }
}

std::vector<float> DeviceGreedy::decodeByKernel(Rounds& rounds, Measure measure) const {
  std::vector<GreedyKernel::Stream> own;
  for (int i = 0; i < rounds.batch(); i++) {
    const Rounds::Stream& stream = rounds.streams[i];
    own.push_back({rounds.firstRows[i], stream.end, stream.pointer, stream.symbols, Rounds::stateOf(stream)});
  }
  kernel_->decode(rounds.frames, own);
  std::vector<float> states;
  for (int i = 0; i < rounds.batch(); i++) {
    Rounds::Stream& stream = rounds.streams[i];
    for (const auto& [token, frame, place, spread] : own[i].found) {
      const float confidence = confidenceOf(measure, spread, classes_);
      stream.found.push_back({token, stream.job->frames->firstFrame + frame, rules_.lasts(place), confidence});
    }
    stream.pointer = own[i].pointer;
    stream.symbols = own[i].symbols;
    states.insert(states.end(), own[i].state.begin(), own[i].state.end());
  }
  return states;
}

void DeviceGreedy::decode(const std::vector<DecoderJob>& jobs, Measure measure) const {
  ops::DeviceTimer timer;
  Rounds rounds;
  std::vector<mx::array> parts;
  for (const DecoderJob& job : jobs) {
    auto& state = static_cast<TransducerState&>(*job.state);
    const int64_t first = job.frames->firstFrame, until = std::min(job.until, job.frames->end());
    const int64_t end = job.lastStart < until ? job.lastStart + 1 : until;
    const int64_t pointer = std::max(state.pointer, first);
    if (pointer >= end) {
      state.pointer = pointer;
      continue;
    }
    rounds.streams.push_back({&job, &state, pointer - first, state.symbols, end - first});
    rounds.firstRows.push_back(job.frames->rows.first);
    parts.push_back(job.frames->rows.matrix);
  }
  if (rounds.streams.empty()) return;
  const bool shared =
      std::all_of(parts.begin(), parts.end(), [&](const mx::array& one) { return one.id() == parts[0].id(); });
  if (!shared) {
    parts.clear();
    int at = 0;
    for (size_t i = 0; i < rounds.streams.size(); i++) {
      const FrameRows& rows = rounds.streams[i].job->frames->rows;
      parts.push_back(rows.array());
      rounds.firstRows[i] = at;
      at += rows.count;
    }
  }
  rounds.frames = shared ? parts[0] : mx::concatenate(parts, 0);
  int64_t longest = 0;
  for (const Rounds::Stream& stream : rounds.streams) longest = std::max(longest, stream.end - stream.pointer);
  const bool byKernel = kernel_ && (rounds.batch() <= mostByKernel || longest <= fewFrames);
  const std::vector<float> states = byKernel ? decodeByKernel(rounds, measure) : decodeByRounds(rounds, measure);
  timer.finish(ops::Part::decoder);

  // Only now that nothing can fail any more.
  rounds.putBack(states.data());
  for (Rounds::Stream& stream : rounds.streams) {
    stream.state->pointer = stream.job->frames->firstFrame + stream.pointer;
    stream.state->symbols = stream.symbols;
    stream.job->tokens->insert(stream.job->tokens->end(), stream.found.begin(), stream.found.end());
  }
}

}  // namespace parakeet
