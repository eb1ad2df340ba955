// The FastConformer encoder as formulas: subsampling, then Conformer layers over frames [first, first + n) that may also
// see what earlier steps committed. With nothing committed and all frames given it is the offline encoder.
import { add, dot, layerNorm, linear, Matrix, sigmoid, silu, softmax, stack } from './matrix.js';
import { optionalVector, type ReferenceModel, vector, weight } from './model.js';

/**
 * How many frames to the left and right a frame attends to; -1: no limit. In a cache-aware model a chunk is `right` + 1 frames, which all
 * see it and `left` frames before it.
 */
export type Context = readonly [left: number, right: number];

/** What a layer remembers of frames that are final: one row per frame, from frame `first` on. */
export interface LayerMemory {
  first: number;
  keys: Matrix;
  values: Matrix;
  /** Inputs of the depthwise convolution (after the GLU). */
  convInputs: Matrix;
}

export function emptyMemory(model: ReferenceModel, first: number): LayerMemory[] {
  const none = (): Matrix => new Matrix(0, model.encoder.dModel);
  return Array.from({ length: model.encoder.layers }, () => ({
    first,
    keys: none(),
    values: none(),
    convInputs: none(),
  }));
}

/** All frames of normalised features, nothing remembered. */
export function encode(model: ReferenceModel, features: Matrix, context: Context): Matrix {
  const frames = subsample(model, features);
  return runLayers(model, frames, 0, emptyMemory(model, 0), { context, cache: 0 }).encoded;
}

/**
 * `ceil(features / 8)` frames, or, causal, 1 + ceil((features − 1) / 8). Each convolution pads its own input with zeros at both ends: a zero input is not a zero after
 * bias and ReLU, so padding the features instead would be something else.
 */
export function subsample(model: ReferenceModel, features: Matrix): Matrix {
  const prefix = 'encoder.pre_encode';
  const levels = Math.log2(model.encoder.subsamplingFactor);
  let image = conv3x3(model, `${prefix}.conv.0`, {
    time: features.rows,
    height: features.columns,
    channels: 1,
    data: features.data,
  });
  relu(image.data);
  for (let level = 1; level < levels; level++) {
    const index = 2 + (level - 1) * 3;
    const depthwise = conv3x3(model, `${prefix}.conv.${index}`, image);
    const pixels = new Matrix(depthwise.time * depthwise.height, depthwise.channels, depthwise.data);
    const name = `${prefix}.conv.${index + 1}`;
    const mixed = linear(pixels, weight(model, `${name}.weight`), vector(model, `${name}.bias`));
    relu(mixed.data);
    image = { ...depthwise, channels: mixed.columns, data: mixed.data };
  }
  // Each frame's pixels flattened channel by channel.
  const flat = new Matrix(image.time, image.channels * image.height);
  for (let t = 0; t < image.time; t++) {
    for (let h = 0; h < image.height; h++) {
      for (let c = 0; c < image.channels; c++)
        flat.set(t, c * image.height + h, image.data[(t * image.height + h) * image.channels + c] as number);
    }
  }
  const out = linear(flat, weight(model, `${prefix}.out.weight`), vector(model, `${prefix}.out.bias`));
  const scale = model.encoder.xscaling ? Math.sqrt(model.encoder.dModel) : 1;
  return out.map((value) => value * scale);
}

interface Image {
  time: number;
  height: number;
  channels: number;
  data: Float64Array;
}

function relu(data: Float64Array): void {
  for (let i = 0; i < data.length; i++) data[i] = Math.max(0, data[i] as number);
}

/**
 * 3×3, stride 2, zero padding 1; causal, 2 before and 1 after. From one channel to many, or each channel for itself.
 */
function conv3x3(model: ReferenceModel, name: string, input: Image): Image {
  const kernels = weight(model, `${name}.weight`);
  const bias = vector(model, `${name}.bias`);
  const before = model.encoder.causal ? 2 : 1;
  const size = (length: number): number => Math.floor((length + before - 2) / 2) + 1;
  const [time, height, channels] = [size(input.time), size(input.height), kernels.rows];
  const data = new Float64Array(time * height * channels);
  for (let t = 0; t < time; t++) {
    for (let h = 0; h < height; h++) {
      const out = data.subarray((t * height + h) * channels, (t * height + h + 1) * channels);
      out.set(bias);
      for (let i = 0; i < 9; i++) {
        const [row, column] = [2 * t + Math.floor(i / 3) - before, 2 * h + (i % 3) - before];
        if (row < 0 || row >= input.time || column < 0 || column >= input.height) continue;
        const source = (row * input.height + column) * input.channels;
        for (let c = 0; c < channels; c++) {
          const value = input.data[input.channels === 1 ? source : source + c] as number;
          out[c] = (out[c] as number) + value * kernels.get(c, i);
        }
      }
    }
  }
  return { time, height, channels, data };
}

export interface LayerOptions {
  context: Context;
  /** How many of the remembered frames before the first one are visible to attention. */
  cache: number;
}

/** Runs frames `[first, first + frames.rows)` through every layer. `added[i]` is what layer `i` computed for those frames. */
export function runLayers(
  model: ReferenceModel,
  frames: Matrix,
  first: number,
  memory: readonly LayerMemory[],
  options: LayerOptions,
): { encoded: Matrix; added: LayerMemory[] } {
  let x = frames;
  const added: LayerMemory[] = [];
  memory.forEach((remembered, i) => {
    const prefix = `encoder.layers.${i}`;
    const norm = (name: string): Matrix =>
      layerNorm(x, vector(model, `${prefix}.${name}.weight`), vector(model, `${prefix}.${name}.bias`));

    x = add(x, feedForward(model, `${prefix}.feed_forward1`, norm('norm_feed_forward1')), 0.5);
    const attention = attend(model, `${prefix}.self_attn`, norm('norm_self_att'), first, remembered, options);
    x = add(x, attention.out);
    const convolution = convolve(model, `${prefix}.conv`, norm('norm_conv'), first, remembered);
    x = add(x, convolution.out);
    x = add(x, feedForward(model, `${prefix}.feed_forward2`, norm('norm_feed_forward2')), 0.5);
    x = norm('norm_out');
    added.push({ first, keys: attention.keys, values: attention.values, convInputs: convolution.inputs });
  });
  return { encoded: x, added };
}

function feedForward(model: ReferenceModel, name: string, x: Matrix): Matrix {
  return project(model, `${name}.linear2`, project(model, `${name}.linear1`, x).map(silu));
}

function project(model: ReferenceModel, name: string, x: Matrix): Matrix {
  return linear(x, weight(model, `${name}.weight`), optionalVector(model, `${name}.bias`));
}

function attend(
  model: ReferenceModel,
  name: string,
  x: Matrix,
  first: number,
  remembered: LayerMemory,
  { context, cache }: LayerOptions,
): { out: Matrix; keys: Matrix; values: Matrix } {
  const { dModel, heads } = model.encoder;
  const size = dModel / heads;
  const queries = project(model, `${name}.linear_q`, x);
  const keys = project(model, `${name}.linear_k`, x);
  const values = project(model, `${name}.linear_v`, x);
  const biasU = vector(model, `${name}.pos_bias_u`);
  const biasV = vector(model, `${name}.pos_bias_v`);

  const oldest = Math.max(remembered.first, first - cache);
  const from = oldest - remembered.first;
  const allKeys = stack(remembered.keys.slice(from, first - remembered.first), keys);
  const allValues = stack(remembered.values.slice(from, first - remembered.first), values);
  // Row r of the table is for the distance r − (x.rows − 1), the smallest that occurs.
  const positions = linear(
    positionTable(1 - x.rows, first - oldest + x.rows - 1, dModel),
    weight(model, `${name}.linear_pos.weight`),
  );

  const mixed = new Matrix(x.rows, dModel);
  for (let q = 0; q < x.rows; q++) {
    const visible: number[] = [];
    for (let k = 0; k < allKeys.rows; k++) {
      if (sees(model, context, first + q, oldest + k)) visible.push(k);
    }
    for (let head = 0; head < heads; head++) {
      const part = (row: ArrayLike<number> & { subarray(a: number, b: number): ArrayLike<number> }) =>
        row.subarray(head * size, (head + 1) * size);
      const query = queries.row(q).subarray(head * size, (head + 1) * size);
      const withU = query.map((value, i) => value + (biasU[head * size + i] as number));
      const withV = query.map((value, i) => value + (biasV[head * size + i] as number));
      const scores = visible.map((k) => {
        const distance = first + q - (oldest + k);
        const position = positions.row(distance + x.rows - 1);
        return (dot(withU, part(allKeys.row(k))) + dot(withV, part(position))) / Math.sqrt(size);
      });
      softmax(scores).forEach((probability, i) => {
        const value = allValues.row(visible[i] as number);
        for (let j = head * size; j < (head + 1) * size; j++) {
          mixed.set(q, j, mixed.get(q, j) + probability * (value[j] as number));
        }
      });
    }
  }
  return { out: project(model, `${name}.linear_out`, mixed), keys, values };
}

/** Whether a frame attends to another one. */
function sees(model: ReferenceModel, [left, right]: Context, frame: number, other: number): boolean {
  const causal = model.encoder.causal && right >= 0;
  const begin = causal ? frame - (frame % (right + 1)) : frame;
  const end = causal ? begin + right : frame + right;
  return (left < 0 || other >= begin - left) && (right < 0 || other <= end);
}

/** Sinusoids of the distances (query − key) from `smallest` to `largest`: sines in even columns, cosines in odd ones. */
function positionTable(smallest: number, largest: number, columns: number): Matrix {
  const out = new Matrix(largest - smallest + 1, columns);
  for (let r = 0; r < out.rows; r++) {
    for (let i = 0; i < columns; i += 2) {
      const angle = (smallest + r) * Math.exp((-Math.log(10000) * i) / columns);
      out.set(r, i, Math.sin(angle));
      out.set(r, i + 1, Math.cos(angle));
    }
  }
  return out;
}

function convolve(
  model: ReferenceModel,
  name: string,
  x: Matrix,
  first: number,
  remembered: LayerMemory,
): { out: Matrix; inputs: Matrix } {
  const { dModel, convKernel } = model.encoder;
  const before = model.encoder.causal ? convKernel - 1 : (convKernel - 1) / 2;
  const doubled = project(model, `${name}.pointwise_conv1`, x);
  const inputs = new Matrix(x.rows, dModel);
  for (let t = 0; t < x.rows; t++) {
    for (let c = 0; c < dModel; c++)
      inputs.set(t, c, doubled.get(t, c) * sigmoid(doubled.get(t, dModel + c)));
  }

  // Frame of the stream → its input; zero where there is none.
  const at = (frame: number, c: number): number => {
    if (frame < remembered.first || frame >= first + x.rows) return 0;
    return frame < first
      ? remembered.convInputs.get(frame - remembered.first, c)
      : inputs.get(frame - first, c);
  };
  const kernels = weight(model, `${name}.depthwise_conv.weight`);
  const bias = optionalVector(model, `${name}.depthwise_conv.bias`);
  const sums = new Matrix(x.rows, dModel);
  for (let t = 0; t < x.rows; t++) {
    for (let c = 0; c < dModel; c++) {
      let sum = bias === undefined ? 0 : (bias[c] as number);
      for (let i = 0; i < convKernel; i++) sum += at(first + t + i - before, c) * kernels.get(c, i);
      sums.set(t, c, sum);
    }
  }
  const out = normalized(model, `${name}.batch_norm`, sums).map(silu);
  return { out: project(model, `${name}.pointwise_conv2`, out), inputs };
}

/** The norm after the depthwise convolution: a layer norm in a cache-aware model, by NeMo's name for either kind. */
function normalized(model: ReferenceModel, name: string, x: Matrix): Matrix {
  const part = (which: string): Float32Array => vector(model, `${name}.${which}`);
  const [gamma, beta] = [part('weight'), part('bias')];
  if (model.encoder.causal) return layerNorm(x, gamma, beta);
  const [mean, variance] = [part('running_mean'), part('running_var')];
  const out = new Matrix(x.rows, x.columns);
  for (let t = 0; t < x.rows; t++) {
    for (let c = 0; c < x.columns; c++) {
      const normal = (x.get(t, c) - (mean[c] as number)) / Math.sqrt((variance[c] as number) + 1e-5);
      out.set(t, c, normal * (gamma[c] as number) + (beta[c] as number));
    }
  }
  return out;
}
