// The device seam: the operations that a model is made of. On a CPU with oneDNN they are MLX primitives of ours
// (ops/cpu/), elsewhere MLX's own operations. The model code above does not know which.
//
// All arrays are float32. A sequence is a matrix [frames, channels]; those of several streams stand one below the other
// in a batch. Products and norms take all rows alike; what looks along time is told which rows are whose.
#pragma once

#include "ops/attention.h"
#include "ops/conv3x3.h"
#include "ops/depthwise_conv.h"
#include "ops/give_up.h"
#include "ops/linear.h"
#include "ops/machine.h"
#include "ops/norm.h"
#include "ops/types.h"
