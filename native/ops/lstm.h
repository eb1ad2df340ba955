// The pointwise parts of a transducer's predictor and joint.
#pragma once

namespace parakeet::ops {

// One step of an LSTM's cells (Hochreiter and Schmidhuber 1997; gates in PyTorch's order i, f, g, o), for `width`
// cells:
//   cell = σ(f) · cell + σ(i) · tanh(g),  hidden = σ(o) · tanh(cell)
// Each gate is the sum of what the input makes of it and what the last hidden state does, [4 · width] each.
void lstmCells(const float* fromInput, const float* fromHidden, float* cell, float* hidden, int width);

// y = max(0, a + b), σ(a + b) or tanh(a + b), `count` values.
void addRelu(const float* a, const float* b, float* y, int count);
void addSigmoid(const float* a, const float* b, float* y, int count);
void addTanh(const float* a, const float* b, float* y, int count);

}  // namespace parakeet::ops
