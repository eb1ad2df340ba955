// The encoder's weights for the products of tile_kernel.h: panels of tileColumns columns, each read from beginning to
// end. Weights of a type that the CPU has no kernel for are kept in it and widened, bytes to words or else to float32,
// a few groups at a time; those in four bits are unpacked in the same way.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <cstdint>
#include <memory>
#include <vector>

#include "ops/cpu/matrix.h"
#include "ops/cpu/packed_weights.h"
#include "ops/cpu/product_kind.h"
#include "ops/cpu/tile_panel.h"
#include "ops/cpu/weight_buffer.h"

namespace parakeet::ops {

class TileMatrix : public CpuMatrix {
 public:
  TileMatrix(const WeightRows& weight, const std::vector<float>& bias, DType dtype, const LinearShape& shape);

  int outputs() const override { return outputs_; }
  void willMultiply() const override;
  void multiply(const MatrixInput& input, const MatrixOutput& output) const override;
  void feedForward(const CpuMatrix& down, const MatrixInput& input, float* y, float scale) const override;

 private:
  friend std::vector<char> packWeights(const WeightRows& rows, DType dtype, bool gated);

  // Columns of the result that one pass over the rows gives; with a gate, half of the tile's.
  struct Panel {
    int part, first, columns;  // of the part
    const char* weights;       // [groups][tileColumns] groups; of those to be widened values, not groups
  };
  struct Operand;
  struct Output;

  void makePanels();
  bool findPacked(const WeightRows& weight);
  PackedLayout layoutOf(int rows) const;
  void describe(const WeightRows& weight, const std::vector<float>& bias, size_t panel);
  void pack(const WeightRows& weight, const std::vector<float>& bias, size_t panel);
  void packInFourBits(const WeightRows& weight, const std::vector<float>& bias, size_t panel);
  template <class Body>
  void forEachColumn(size_t panel, Body body) const;
  void storeRow(const WeightRows& weight, int row, size_t column, char* stored);
  size_t storedBytes(int groups) const;
  void unpack(const char* stored, size_t panel, int count, void* made) const;
  void widen(const char* stored, size_t panel, int count, void* made) const;
  PanelWeights storedOf(size_t panel, int group, int count) const;
  PanelWeights weightsOf(size_t panel, int group, int count) const;
  Operand room(int rows) const;
  void fetchFirst(int row, int rows) const;
  Operand prepare(const MatrixInput& input) const;
  Operand bytesOf(const Operand& narrow) const;
  void multiplyBlock(const Operand& operand, const Output& output) const;
  void multiplyRows(const Operand& operand, const Output& output, int from, int to) const;
  void multiplyPanel(const Operand& operand, const Output& output, size_t panel, int first, int last) const;

  ProductKind stored_, kind_;  // of the weights in memory, and of the products
  int outputs_, inputs_, groups_;
  bool gated_;
  bool fourBits_;  // of the weights in memory, which are bytes otherwise
  std::vector<Panel> panels_;
  WeightBuffer<char> owned_;                         // the weights of all panels, unless they were found packed
  std::vector<std::shared_ptr<const void>> owners_;  // of those
  std::vector<float> bias_;                          // [panels][tileColumns]; zeros for none
  std::vector<float> scale_;                         // the same, of bytes
  std::vector<int32_t> sum_;                         // the same, of bytes: of the quantised weights
};

}  // namespace parakeet::ops

#endif
