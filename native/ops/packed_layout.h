// How a matrix lies in a file that was packed for one kind of machine: in the panels that its CPU multiplies, each read
// from beginning to end.
#pragma once

#include <cstddef>

namespace parakeet::ops {

// [panels][groups][halves][columns][values]. A column is a row of the matrix (an output), its values lie along the
// inner dimension; what pads the last panel and the last group is zeros. With two halves, of matrices for
// Activation::glu, the columns of the second belong to the second half of the rows.
struct PackedLayout {
  int panels, groups, halves, columns, values;

  bool operator==(const PackedLayout&) const = default;

  int inputs() const { return groups * values; }  // with padding
  int outputs() const { return panels * halves * columns; }
  size_t groupSize() const { return static_cast<size_t>(halves) * columns * values; }
  size_t panelSize() const { return groups * groupSize(); }
  size_t size() const { return panels * panelSize(); }
};

}  // namespace parakeet::ops
