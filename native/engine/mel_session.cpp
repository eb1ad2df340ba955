#include "engine/mel_session.h"

#include <utility>

#include "model/mutant.h"
#include "ops/profile.h"

namespace parakeet {

Matrix MelSession::push(const std::vector<float>& samples) {
  const ops::PartTimer timer(ops::Part::mel);
  std::vector<float> data;
  stream_.push(samples.data(), samples.size(), data);
  return frames(std::move(data));
}

Matrix MelSession::finish(size_t flush) {
  std::vector<float> data;
  stream_.finish(mutant("flush-removed") ? 0 : flush, data);
  return frames(std::move(data));
}

void MelSession::load(ArchiveReader& archive) {
  archive(stream_);
  ArchiveReader::require(stream_.valid());
}

Matrix MelSession::frames(std::vector<float> data) const {
  const int rows = static_cast<int>(data.size()) / features_;
  return {std::move(data), rows, features_};
}

}  // namespace parakeet
