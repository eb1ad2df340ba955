#include "test/test_stream.h"

#include <algorithm>
#include <utility>

#include "test/engine_driver.h"

namespace parakeet::test {
namespace {

// Runs `work` on the front end's thread.
template <class Work>
auto onFrontEnd(Work work) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto result = task.get_future();
  Engine::instance().frontEnd().post([&task] { task(); });
  return result.get();
}

}  // namespace

TestStream::TestStream(const GoldenModel& golden, const StreamOptions& options, Parts parts) {
  mel_ = onFrontEnd([&] { return std::make_unique<MelSession>(golden.model->filters(), options.hangover); });
  onEngine([&] {
    encoder_ = std::move(parts.encoder);
    if (!encoder_)
      encoder_ = std::make_unique<BufferedEncoder>(golden.model->encoder(), golden.config.preprocessor, options);
    if (!parts.decoder) parts.decoder = golden.model->decoder(golden.greedy());
    decoder_ = std::make_unique<DecoderSession>(std::move(parts.decoder), nullptr);
  });
}

TestStream::~TestStream() {
  onFrontEnd([&] { mel_.reset(); });
  onEngine([&] {
    decoder_.reset();
    encoder_.reset();
  });
}

void TestStream::push(const float* samples, size_t count) {
  samples_ += static_cast<int64_t>(count);
  take(onFrontEnd([&] { return mel_->push(std::vector<float>(samples, samples + count)); }));
  steps();
}

void TestStream::finish() {
  end();
  steps();
}

void TestStream::hear(const std::vector<float>& samples) {
  samples_ = static_cast<int64_t>(samples.size());
  take(onFrontEnd([&] { return mel_->push(samples); }));
  end();
}

void TestStream::end() {
  take(onFrontEnd([&] { return mel_->finish(0); }));
  onEngine([&] { encoder_->finish(samples_); });
}

void TestStream::take(const MelFrames& frames) {
  onEngine([&] { encoder_->push(frames); });
}

void TestStream::steps() {
  for (;;) {
    const auto step = askStep(encoder_.get(), cancel_);
    const std::optional<Ticket> ticket = step->future.get();
    if (step->settled > 1) settledTwice++;
    if (!ticket) return;
    const auto decoding = askDecode(decoder_.get(), encoder_.get(), ticket->number, cancel_);
    const Decoded decoded = decoding->future.get();
    if (decoding->settled > 1) settledTwice++;
    tokens.insert(tokens.end(), decoded.final.begin(), decoded.final.end());
  }
}

Saved TestStream::save() {
  Saved result{{}, samples_};
  const auto saved = [&](auto& session) {
    ArchiveWriter archive;
    session.save(archive);
    result.states.push_back(archive.take());
  };
  onFrontEnd([&] { saved(*mel_); });
  onEngine([&] {
    saved(*encoder_);
    saved(*decoder_);
  });
  return result;
}

void TestStream::load(const Saved& saved) {
  samples_ = saved.samples;
  const auto loaded = [](auto& session, const std::vector<uint8_t>& bytes) {
    ArchiveReader archive(bytes.data(), bytes.size());
    session.load(archive);
    archive.finish();
  };
  onFrontEnd([&] { loaded(*mel_, saved.states[0]); });
  onEngine([&] {
    loaded(*encoder_, saved.states[1]);
    loaded(*decoder_, saved.states[2]);
  });
}

StreamOptions streamOptions(int chunk, int lookahead, int left) {
  StreamOptions options;
  options.chunk = chunk;
  options.lookahead = lookahead;
  options.context = {left, -1};
  options.cache = left;
  return options;
}

Tokens streamed(const GoldenModel& golden, const StreamOptions& options, const std::vector<float>& samples,
                const std::vector<size_t>& pieces) {
  TestStream stream(golden, options);
  size_t at = 0;
  for (size_t i = 0; at < samples.size(); i++) {
    const size_t count = std::min(pieces[i % pieces.size()], samples.size() - at);
    stream.push(samples.data() + at, count);
    at += count;
  }
  stream.finish();
  return stream.tokens;
}

bool same(const Tokens& one, const Tokens& other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(), [](const Token& a, const Token& b) {
           return a.id == b.id && a.start == b.start && a.duration == b.duration;
         });
}

}  // namespace parakeet::test
