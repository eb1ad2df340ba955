// A failure at each point of a batch: the request at fault fails, the others get the result that they get alone, and
// none is answered twice.
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"
#include "test/test_stream.h"

namespace parakeet::test {
namespace {

enum class Point { none, plan, encode, keep, prepare, start, clone, decode, finish };

const char* nameOf(Point point) {
  static const char* const names[] = {"none",  "plan",  "encode", "keep",  "prepare",
                                      "start", "clone", "decode", "finish"};
  return names[static_cast<int>(point)];
}

// Fails from the second call on, so that there is something to lose before it.
struct Fuse {
  Point point;
  int left = 1;
  void at(Point here) {
    if (here == point && left-- <= 0) throw std::runtime_error(std::string("fault at ") + nameOf(here));
  }
};

class FaultyEncoder : public EncoderSession {
 public:
  FaultyEncoder(std::shared_ptr<const Encoder> encoder, std::unique_ptr<EncoderSession> inner, Fuse fuse)
      : EncoderSession(std::move(encoder)), inner_(std::move(inner)), fuse_(fuse) {}
  void push(const MelFrames& frames) override { inner_->push(frames); }
  void finish(int64_t samples) override { inner_->finish(samples); }
  void flush(int silence) override { inner_->flush(silence); }
  Matrix recall(int64_t from, int64_t until, int64_t& first) const override {
    return inner_->recall(from, until, first);
  }
  StreamPosition position() const override { return inner_->position(); }
  Context recallContext() const override { return inner_->recallContext(); }
  void write(ArchiveWriter& archive) override { inner_->write(archive); }
  void read(ArchiveReader& archive) override { inner_->read(archive); }
  std::optional<PlannedStep> plan() override {
    auto planned = inner_->plan();
    if (planned) fuse_.at(Point::plan);
    // Rows of another width: the encoder refuses the whole batch, and then this one.
    if (planned && planned->piece && fuse_.point == Point::encode && fuse_.left-- <= 0)
      planned->piece->features.columns--;
    return planned;
  }
  EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) override {
    fuse_.at(Point::keep);
    return inner_->commit(std::move(planned), std::move(encoded));
  }

 private:
  std::unique_ptr<EncoderSession> inner_;
  Fuse fuse_;
};

// A state that fails when it is copied or finished. Other jobs are unaffected.
class FaultyState : public DecoderState {
 public:
  FaultyState(std::unique_ptr<DecoderState> inner, std::shared_ptr<Fuse> fuse)
      : inner(std::move(inner)), fuse(std::move(fuse)) {}
  std::unique_ptr<DecoderState> clone() const override {
    if (fuse) fuse->at(Point::clone);
    return std::make_unique<FaultyState>(inner->clone(), fuse);
  }
  void finish(Tokens& tokens) override {
    if (fuse) fuse->at(Point::finish);
    inner->finish(tokens);
  }
  void cutAt(int64_t frame) override { inner->cutAt(frame); }
  void save(ArchiveWriter& archive) override { inner->save(archive); }
  void load(ArchiveReader& archive) override { inner->load(archive); }

  std::unique_ptr<DecoderState> inner;
  std::shared_ptr<Fuse> fuse;
};

// The decoder that all streams of a test share, one of which has a fuse: so they are decoded in one batch.
class SharedDecoder : public Decoder {
 public:
  explicit SharedDecoder(std::shared_ptr<const Decoder> inner) : inner_(std::move(inner)) {}
  mlx::core::array project(const mlx::core::array& encoded) const override { return inner_->project(encoded); }
  std::unique_ptr<DecoderState> newState() const override {
    return std::make_unique<FaultyState>(inner_->start(), std::exchange(next, nullptr));
  }
  void decode(const std::vector<DecoderJob>& jobs) const override {
    std::vector<DecoderJob> own = jobs;
    for (DecoderJob& job : own) job.state = dynamic_cast<FaultyState*>(job.state)->inner.get();
    inner_->decode(own);
    // Half way: the states of all have moved on already.
    for (const DecoderJob& job : jobs) {
      if (const auto& fuse = dynamic_cast<FaultyState*>(job.state)->fuse) fuse->at(Point::decode);
    }
  }
  mutable std::shared_ptr<Fuse> next;  // of the state that is started next

 private:
  std::shared_ptr<const Decoder> inner_;
};

// A decoder of a session's own, whose other calls fail.
class FaultyDecoder : public Decoder {
 public:
  FaultyDecoder(std::shared_ptr<const Decoder> inner, Fuse fuse) : inner_(std::move(inner)), fuse_(fuse) {}
  mlx::core::array project(const mlx::core::array& encoded) const override {
    fuse_.at(Point::prepare);
    return inner_->project(encoded);
  }
  std::unique_ptr<DecoderState> newState() const override { return inner_->start(); }
  void decode(const std::vector<DecoderJob>& jobs) const override { inner_->decode(jobs); }

 private:
  std::shared_ptr<const Decoder> inner_;
  mutable Fuse fuse_;
};

// Runs all streams to their ends, every step of theirs in one batch and every decoding too. `thrown`: what each failed
// with.
void runTogether(const std::vector<std::unique_ptr<TestStream>>& streams, std::vector<std::string>& thrown,
                 int& settledTwice) {
  BatchCounts counts;
  const auto cancel = std::make_shared<CancelFlag>();
  std::vector<bool> over(streams.size());
  for (bool more = true; more;) {
    more = false;
    std::vector<std::shared_ptr<Answer<std::optional<Ticket>>>> steps(streams.size());
    std::vector<std::shared_ptr<Answer<Decoded>>> decodings(streams.size());
    std::deque<StepRequest> stepRequests;
    for (size_t i = 0; i < streams.size(); i++) {
      if (over[i]) continue;
      auto [shared, waiter] = answer<std::optional<Ticket>>(cancel);
      steps[i] = shared;
      stepRequests.push_back({[session = streams[i]->encoder()] { return session; }, std::move(waiter)});
    }
    while (!stepRequests.empty()) runSteps(stepRequests, 1 << 20, counts);
    std::deque<DecodeRequest> decodeRequests;
    for (size_t i = 0; i < streams.size(); i++) {
      if (!steps[i]) continue;
      std::optional<Ticket> ticket;
      thrown[i] = thrownBy([&] { ticket = steps[i]->future.get(); });
      if (steps[i]->settled > 1) settledTwice++;
      over[i] = !ticket;
      if (over[i]) continue;
      auto [shared, waiter] = answer<Decoded>(cancel);
      decodings[i] = shared;
      decodeRequests.push_back(
          {[session = streams[i]->decoder()] { return session; },
           [session = streams[i]->encoder(), number = ticket->number] { return session->take(number); }, true,
           std::move(waiter)});
    }
    while (!decodeRequests.empty()) runDecodes(decodeRequests, 1 << 20);
    for (size_t i = 0; i < streams.size(); i++) {
      if (!decodings[i]) continue;
      Decoded decoded;
      thrown[i] = thrownBy([&] { decoded = decodings[i]->future.get(); });
      if (decodings[i]->settled > 1) settledTwice++;
      over[i] = !thrown[i].empty();
      streams[i]->tokens.insert(streams[i]->tokens.end(), decoded.final.begin(), decoded.final.end());
      more = more || !over[i];
    }
  }
}

}  // namespace

void faults(const Goldens& models) {
  const GoldenModel& golden = models[0];
  const StreamOptions options = streamOptions(2, 2, 8);
  const std::vector<float> samples = golden.samples();
  const Tokens alone = streamed(golden, options, samples, {samples.size()});
  for (const Point point : {Point::none, Point::plan, Point::encode, Point::keep, Point::prepare, Point::clone,
                            Point::decode, Point::finish}) {
    const auto plain = onEngine([&] { return golden.model->decoder(golden.greedy()); });
    const auto shared = std::make_shared<SharedDecoder>(plain);
    std::vector<std::unique_ptr<TestStream>> streams;
    for (int i = 0; i < 4; i++) {
      const bool faulty = i == 1;
      Parts parts{nullptr, shared};
      if (faulty) {
        parts.encoder = std::make_unique<FaultyEncoder>(
            golden.model->encoder(),
            std::make_unique<BufferedEncoder>(golden.model->encoder(), golden.config.preprocessor, options),
            Fuse{point});
        shared->next = std::make_shared<Fuse>(Fuse{point, point == Point::finish ? 0 : 1});
        if (point == Point::prepare) parts.decoder = std::make_shared<FaultyDecoder>(plain, Fuse{point});
      }
      streams.push_back(std::make_unique<TestStream>(golden, options, std::move(parts)));
      streams.back()->hear(samples);
    }
    std::vector<std::string> thrown(streams.size());
    int settledTwice = 0;
    onEngine([&] { runTogether(streams, thrown, settledTwice); });
    for (size_t i = 0; i < streams.size(); i++) {
      const bool faulty = i == 1 && point != Point::none;
      CHECK_SAYING(thrown[i].empty() != faulty,
                   std::string(nameOf(point)) + ", stream " + std::to_string(i) + ": " + thrown[i]);
      if (!faulty) CHECK_SAYING(same(streams[i]->tokens, alone), nameOf(point));
    }
    CHECK_SAYING(settledTwice == 0, nameOf(point));
  }
}

}  // namespace parakeet::test
