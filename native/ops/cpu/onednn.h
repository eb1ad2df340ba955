// oneDNN behind plain functions over row-major float32 memory: products with packed weights and convolutions.
// Called on MLX's stream thread and the pool's threads only; each call is single-threaded inside oneDNN.
#pragma once

#ifdef PARAKEET_ONEDNN

#include <memory>
#include <string>
#include <vector>

#include "ops/ops.h"

namespace parakeet::ops {

// A weight matrix packed for products, and the primitives made for it so far.
class PackedMatrix {
 public:
  PackedMatrix(const std::vector<float>& weight, std::vector<float> bias, int outputs, int inputs);
  ~PackedMatrix();
  int outputs() const;
  // output[rows, outputs] = activation(x[rows, inputs] · weightᵀ + bias), split over the pool by rows.
  void multiply(const float* x, float* output, int rows, Activation activation) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A two-dimensional convolution over [height, width, channels].
class PackedConvolution {
 public:
  PackedConvolution(const std::vector<float>& weight, std::vector<float> bias, int outputs, int inputs, int kernel,
                    int stride, int groups);
  ~PackedConvolution();
  void convolve(const float* x, float* output, int height, int width, int top, int bottom, Activation activation) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// c[rows, columns] = alpha · a[rows, inner] · b, with leading dimensions; b is [inner, columns], or [columns, inner]
// when transposed.
void sgemm(bool transposeB, int rows, int columns, int inner, float alpha, const float* a, int lda, const float* b,
           int ldb, float* c, int ldc);

std::string onednnVersion();

}  // namespace parakeet::ops

#endif
