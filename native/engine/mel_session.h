// The front end of one stream: its log-mel, as whole frames. Used on the front-end thread only.
#pragma once

#include <memory>
#include <vector>

#include "engine/counted.h"
#include "model/archive.h"
#include "model/log_mel.h"
#include "model/matrix.h"

namespace parakeet {

class MelSession : Counted<SessionTag> {
 public:
  explicit MelSession(std::shared_ptr<const MelFilters> filters)
      : features_(filters->config.features), stream_(filters) {}
  Matrix push(const std::vector<float>& samples);
  Matrix finish(size_t flush);
  // For snapshots. load() throws ERR_PARAKEET_INVALID_SNAPSHOT.
  void save(ArchiveWriter& archive) { archive(stream_); }
  void load(ArchiveReader& archive);

 private:
  Matrix frames(std::vector<float> data) const;
  int features_;
  LogMelStream stream_;
};

}  // namespace parakeet
