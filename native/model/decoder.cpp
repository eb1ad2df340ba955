#include "model/decoder.h"

#include <algorithm>

#include "ops/profile.h"

namespace parakeet {
namespace mx = mlx::core;

std::vector<FrameRows> Decoder::prepare(const std::vector<FrameRows>& encoded) const {
  const ops::PartScope part(ops::Part::decoder);
  std::vector<FrameRows> some;
  int wanted = 0;
  for (const FrameRows& rows : encoded) {
    if (rows.count == 0) continue;
    some.push_back(rows);
    wanted += rows.count;
  }
  if (some.empty()) return std::vector<FrameRows>(encoded.size());
  const mx::array& first = some[0].matrix;
  const bool shared =
      std::all_of(some.begin(), some.end(), [&](const FrameRows& rows) { return rows.matrix.id() == first.id(); });
  // Rows of one matrix need not be copied together, unless most of it is not wanted.
  const bool asTheyAre = shared && 2 * wanted >= first.shape(0);
  std::vector<mx::array> parts;
  for (const FrameRows& rows : some) parts.push_back(rows.array());
  const mx::array joined = asTheyAre ? first : parts.size() == 1 ? parts[0] : mx::concatenate(parts, 0);
  const mx::array all = mx::contiguous(project(joined));
  if (onDevice())
    mx::async_eval(all);
  else
    mx::eval(all);
  std::vector<FrameRows> prepared;
  int at = 0;
  for (const FrameRows& rows : encoded) {
    prepared.push_back({all, asTheyAre ? rows.first : at, rows.count});
    at += rows.count;
  }
  return prepared;
}

}  // namespace parakeet
