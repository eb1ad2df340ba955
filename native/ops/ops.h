// The device seam: the operations that a model is made of. On a CPU with oneDNN they are MLX primitives of ours
// (ops/cpu/), elsewhere MLX's own operations: linear layers as on a CPU, the encoder in padded batches (ops/padded/).
//
// A sequence is a matrix [frames, channels]; those of several streams are stacked in a batch. Products and norms treat
// all rows alike; operations along time are told which rows belong to which stream.
#pragma once

#include "ops/device.h"
#include "ops/give_up.h"
#include "ops/linear.h"
#include "ops/machine.h"
#include "ops/norm.h"
#include "ops/types.h"
