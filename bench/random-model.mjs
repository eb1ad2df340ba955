/**
 * Model folders with random weights at the real sizes, as parakeet-mlx publishes them: for speed and memory, not for text.
 * Both engines load them. The joint's biases make the decoder work as hard as on speech: about four tokens a second.
 *
 *     node bench/random-model.mjs 110m|0.6b-v3|cache-aware-120m|cache-aware-0.6b|custom [--dtype bfloat16|float32] [--layers N] [--width N]
 *                                 [--features N] [--vocabulary N] [--out FOLDER]
 *
 * Prints the folder. The same arguments give the same bytes; what is there already is kept.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

/** Where models and the peers' copies of them are kept; git ignores it. */
export const cacheFolder = fileURLToPath(new URL('.cache', import.meta.url));

/** Changes with the bytes that this file writes, so that an old folder is not taken for a new one. */
const VERSION = 2;

const common = { heads: 8, convKernel: 9, subsamplingFactor: 8, subsamplingChannels: 256, hidden: 640 };

/** The published sizes. */
export const sizes = {
  '110m': {
    ...common,
    layers: 17,
    width: 512,
    features: 80,
    vocabulary: 1024,
    lstm: 1,
    useBias: true,
    ctc: true,
  },
  '0.6b-v3': {
    ...common,
    layers: 24,
    width: 1024,
    features: 128,
    vocabulary: 8192,
    lstm: 2,
    useBias: false,
    ctc: false,
  },
  // Cache-aware: of parakeet_realtime_eou_120m-v1 and nemotron-speech-streaming-en-0.6b.
  'cache-aware-120m': {
    ...common,
    layers: 17,
    width: 512,
    features: 128,
    vocabulary: 1024,
    lstm: 1,
    useBias: false,
    ctc: false,
    contexts: [[70, 1]],
  },
  'cache-aware-0.6b': {
    ...common,
    layers: 24,
    width: 1024,
    features: 128,
    vocabulary: 1024,
    lstm: 2,
    useBias: false,
    ctc: false,
    contexts: [
      [70, 13],
      [70, 6],
      [70, 1],
      [70, 0],
    ],
  },
};

/** How some models end an utterance, and how much likelier than other tokens they are. */
const MARKS = ['<EOU>', '<EOB>'];
const MARK_BIAS = 1.5;

const DURATIONS = [0, 1, 2, 3, 4];
/** Steps of about two frames, hardly ever zero: with `blankBias`, four tokens a second. */
const DURATION_BIAS = [-8, 1, 0.7, 0, 0];

/**
 * Makes the folder unless it is there.
 *
 * @param {string} model a name of `sizes`, or anything else with `size`
 * @param {{ dtype?: 'bfloat16' | 'float32', size?: Partial<typeof sizes['110m'] & { contexts: number[][], marks: boolean, prompts: Record<string, number> }>, out?: string }} [options]
 * @returns {string} the folder
 */
export function randomModel(model, { dtype = 'bfloat16', size = {}, out } = {}) {
  const shape = { ...(sizes[model] ?? sizes['110m']), ...size };
  if (!['bfloat16', 'float32'].includes(dtype)) {
    throw new Error(`Expected bfloat16 or float32 for --dtype but received ${dtype}`);
  }
  if (shape.width % shape.heads !== 0) {
    throw new Error(`Expected a multiple of ${shape.heads} for --width but received ${shape.width}`);
  }
  const { layers, width, features, vocabulary } = shape;
  const name = model in sizes ? model : `${layers}x${width}-${features}-${vocabulary}`;
  const folder = out ?? path.join(cacheFolder, `${name}-${dtype}-v${VERSION}`);
  if (existsSync(path.join(folder, 'config.json'))) return folder;
  // Under another name until it is complete: an interrupted run leaves nothing that looks finished.
  const work = `${folder}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    writeWeights(path.join(work, 'model.safetensors'), tensorsOf(shape), dtype);
    writeFileSync(path.join(work, 'config.json'), `${JSON.stringify(configOf(shape))}\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

/** Room for the numbers of all languages. */
function promptsOf({ prompts = {} }) {
  return Math.max(...Object.values(prompts)) + 1;
}

function configOf(shape) {
  const vocabulary = piecesOf(shape);
  const classes = { num_classes: vocabulary.length, vocabulary };
  const kind = shape.ctc
    ? 'hybrid_rnnt_ctc_bpe_models.EncDecHybridRNNTCTCBPEModel'
    : shape.prompts
      ? 'rnnt_bpe_models_prompt.EncDecRNNTBPEModelWithPrompt'
      : 'rnnt_bpe_models.EncDecRNNTBPEModel';
  return {
    target: `nemo.collections.asr.models.${kind}`,
    preprocessor: {
      sample_rate: 16000,
      normalize: shape.contexts ? 'NA' : 'per_feature',
      window_size: 0.025,
      window_stride: 0.01,
      window: 'hann',
      features: shape.features,
      n_fft: 512,
      dither: 1e-5,
      pad_to: 0,
      pad_value: 0,
    },
    encoder: {
      feat_in: shape.features,
      n_layers: shape.layers,
      d_model: shape.width,
      n_heads: shape.heads,
      ff_expansion_factor: 4,
      subsampling_factor: shape.subsamplingFactor,
      self_attention_model: 'rel_pos',
      subsampling: 'dw_striding',
      conv_kernel_size: shape.convKernel,
      subsampling_conv_channels: shape.subsamplingChannels,
      pos_emb_max_len: 5000,
      causal_downsampling: shape.contexts !== undefined,
      use_bias: shape.useBias,
      xscaling: false,
      subsampling_conv_chunking_factor: 1,
      ...(shape.contexts
        ? {
            att_context_style: 'chunked_limited',
            att_context_size: shape.contexts,
            conv_context_size: 'causal',
            conv_norm_type: 'layer_norm',
          }
        : { att_context_size: [-1, -1] }),
    },
    decoder: {
      blank_as_pad: true,
      vocab_size: vocabulary.length,
      prednet: { pred_hidden: shape.hidden, pred_rnn_layers: shape.lstm },
    },
    joint: {
      ...classes,
      jointnet: {
        joint_hidden: shape.hidden,
        activation: 'relu',
        encoder_hidden: shape.width,
        pred_hidden: shape.hidden,
      },
      num_extra_outputs: shape.contexts ? 0 : DURATIONS.length,
    },
    ...(shape.contexts
      ? {
          decoding: { greedy: { max_symbols: 10 } },
          ...(shape.prompts && {
            model_defaults: { num_prompts: promptsOf(shape), prompt_dictionary: shape.prompts },
          }),
        }
      : {
          decoding: { model_type: 'tdt', durations: DURATIONS, greedy: { max_symbols: 10 } },
          model_defaults: { tdt_durations: DURATIONS },
        }),
    ...(shape.ctc ? { aux_ctc: { decoder: { feat_in: shape.width, ...classes } } } : {}),
  };
}

/** Distinct pieces of two to four letters, every other one the beginning of a word, a full stop, and with `marks` the ends of utterances. */
function piecesOf({ vocabulary: count, marks }) {
  const letters = (n) => (n < 26 ? '' : letters(Math.floor(n / 26) - 1)) + String.fromCharCode(97 + (n % 26));
  const pieces = Array.from({ length: count }, (_, i) => (i % 2 ? '▁' : '') + letters(i + 26));
  pieces[0] = '<unk>';
  pieces[1] = '.';
  if (marks) pieces.splice(-MARKS.length, MARKS.length, ...MARKS);
  return pieces;
}

/**
 * Name, shape, and how to fill it: the standard deviation of a normal distribution, or `fill(index)`. `paired` weights come as
 * w, −w: behind a ReLU or SiLU, whose outputs have a mean, they keep that mean from growing over the layers until all frames are
 * the same, as they never are in a trained model.
 */
function tensorsOf(shape) {
  const { width, features, vocabulary, hidden, useBias } = shape;
  const tensors = [];
  const normal = (name, dims, std, paired = false) => tensors.push({ name, dims, std, paired });
  const constant = (name, dims, value) => tensors.push({ name, dims, fill: () => value });
  // Weights of deviation gain / √inputs keep the activations' deviation near one from layer to layer.
  const linear = (
    name,
    outputs,
    inputs,
    bias,
    { gain = 1, paired = false, dims = [outputs, inputs] } = {},
  ) => {
    normal(`${name}.weight`, dims, gain / Math.sqrt(inputs), paired);
    if (bias) normal(`${name}.bias`, [outputs], 0.02);
  };
  const norm = (name) => {
    constant(`${name}.weight`, [width], 1);
    constant(`${name}.bias`, [width], 0);
  };

  const channels = shape.subsamplingChannels;
  const conv = (index, kernel, inputs) => {
    const dims = [channels, kernel, kernel, inputs];
    const gain = kernel === 1 ? 2 : 1;
    linear(`encoder.pre_encode.conv.${index}`, channels, kernel * kernel * inputs, true, {
      gain,
      paired: kernel === 1,
      dims,
    });
  };
  conv(0, 3, 1);
  let rows = features;
  // Zeros before the features: one more where the convolution is causal.
  const before = shape.contexts ? 2 : 1;
  for (let level = 0; level < Math.log2(shape.subsamplingFactor); level++) {
    rows = Math.floor((rows + before - 2) / 2) + 1;
    if (level === 0) continue;
    conv(3 * level - 1, 3, 1);
    conv(3 * level, 1, channels);
  }
  linear('encoder.pre_encode.out', width, channels * rows, true, { gain: 2, paired: true });

  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `encoder.layers.${layer}`;
    for (const half of [1, 2]) {
      norm(`${at}.norm_feed_forward${half}`);
      linear(`${at}.feed_forward${half}.linear1`, 4 * width, width, useBias);
      linear(`${at}.feed_forward${half}.linear2`, width, 4 * width, useBias, { paired: true });
    }
    norm(`${at}.norm_self_att`);
    for (const part of ['linear_q', 'linear_k', 'linear_v']) {
      linear(`${at}.self_attn.${part}`, width, width, useBias);
    }
    // Random attention is an average over all frames; with its full weight they would all become that average.
    linear(`${at}.self_attn.linear_out`, width, width, useBias, { gain: 0.15 });
    linear(`${at}.self_attn.linear_pos`, width, width, false);
    for (const bias of ['pos_bias_u', 'pos_bias_v']) {
      normal(`${at}.self_attn.${bias}`, [shape.heads, width / shape.heads], 0.1);
    }
    norm(`${at}.norm_conv`);
    linear(`${at}.conv.pointwise_conv1`, 2 * width, width, useBias, { dims: [2 * width, 1, width] });
    linear(`${at}.conv.depthwise_conv`, width, shape.convKernel, useBias, {
      dims: [width, shape.convKernel, 1],
    });
    constant(`${at}.conv.batch_norm.weight`, [width], 1);
    constant(`${at}.conv.batch_norm.bias`, [width], 0);
    if (!shape.contexts) {
      constant(`${at}.conv.batch_norm.running_mean`, [width], 0);
      constant(`${at}.conv.batch_norm.running_var`, [width], 1);
    }
    linear(`${at}.conv.pointwise_conv2`, width, width, useBias, { paired: true, dims: [width, 1, width] });
    norm(`${at}.norm_out`);
  }

  // The blank's row is zero, as NeMo's padding row: starting with it and starting with nothing are the same.
  tensors.push({
    name: 'decoder.prediction.embed.weight',
    dims: [vocabulary + 1, hidden],
    std: 1,
    zeroFrom: vocabulary * hidden,
  });
  for (let layer = 0; layer < shape.lstm; layer++) {
    const at = `decoder.prediction.dec_rnn.lstm.${layer}`;
    normal(`${at}.Wx`, [4 * hidden, hidden], 1 / Math.sqrt(hidden));
    normal(`${at}.Wh`, [4 * hidden, hidden], 1 / Math.sqrt(hidden));
    normal(`${at}.bias`, [4 * hidden], 0.02);
  }
  linear('joint.pred', hidden, hidden, true, { gain: 2 });
  linear('joint.enc', hidden, width, true);
  const outputs = vocabulary + 1 + (shape.contexts ? 0 : DURATIONS.length);
  normal('joint.joint_net.2.weight', [outputs, hidden], 1.2 / Math.sqrt(hidden), true);
  const outputBias = (i) =>
    i < vocabulary
      ? shape.marks && i >= vocabulary - MARKS.length
        ? MARK_BIAS
        : 0
      : i === vocabulary
        ? blankBias(vocabulary)
        : DURATION_BIAS[i - vocabulary - 1];
  tensors.push({ name: 'joint.joint_net.2.bias', dims: [outputs], fill: outputBias });
  if (shape.prompts) {
    linear('prompt_kernel.0', 2 * width, width + promptsOf(shape), true);
    linear('prompt_kernel.2', width, 2 * width, true, { gain: 2, paired: true });
  }
  if (shape.ctc)
    linear('ctc_decoder.decoder_layers.0', vocabulary + 1, width, true, { dims: [vocabulary + 1, 1, width] });
  return tensors;
}

/** Below the expected maximum of as many normal logits as there are tokens, by an amount that gives three to five tokens a second. */
function blankBias(vocabulary) {
  const root = Math.sqrt(2 * Math.log(vocabulary));
  return root - (Math.log(Math.log(vocabulary)) + Math.log(4 * Math.PI)) / (2 * root) - 1.2;
}

function writeWeights(file, tensors, dtype) {
  const bytes = dtype === 'bfloat16' ? 2 : 4;
  const Values = dtype === 'bfloat16' ? Uint16Array : Uint32Array;
  const encode = encoder(dtype);
  const sign = dtype === 'bfloat16' ? 0x8000 : 0x80000000;
  const header = { __metadata__: { format: 'mlx' } };
  let end = 0;
  for (const { name, dims } of tensors) {
    const begin = end;
    end += bytes * dims.reduce((product, n) => product * n, 1);
    header[name] = { dtype: dtype === 'bfloat16' ? 'BF16' : 'F32', shape: dims, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const random = new Random();
  const piece = new Values(1 << 20);
  const descriptor = openSync(file, 'w');
  try {
    writeSync(descriptor, length);
    writeSync(descriptor, padded);
    for (const { dims, std, paired, fill, zeroFrom = Number.POSITIVE_INFINITY } of tensors) {
      const count = dims.reduce((product, n) => product * n, 1);
      const table =
        std === undefined ? undefined : Values.from(random.normals, (value) => encode(value * std));
      for (let at = 0; at < count; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, count - at));
        if (table) random.pick(table, part);
        else for (let i = 0; i < part.length; i++) part[i] = encode(fill(at + i));
        if (paired) for (let i = 1; i < part.length; i += 2) part[i] = part[i - 1] ^ sign;
        if (at + part.length > zeroFrom) part.fill(0, Math.max(0, zeroFrom - at));
        writeSync(descriptor, new Uint8Array(part.buffer, 0, part.byteLength));
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The bits of a value in the stored type; bfloat16 rounds to nearest even. */
function encoder(dtype) {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  return (value) => {
    float[0] = value;
    const [raw] = bits;
    return dtype === 'float32' ? raw : (raw + 0x7fff + ((raw >>> 16) & 1)) >>> 16;
  };
}

/** Normal numbers by the hundred million: a table of 65,536 of them, picked from by a xorshift generator. */
class Random {
  #state = 0x9e3779b9;
  normals = new Float64Array(1 << 16);

  constructor() {
    for (let i = 0; i < this.normals.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((this.#next() + 1) / 2 ** 32));
      const angle = 2 * Math.PI * (this.#next() / 2 ** 32);
      this.normals[i] = radius * Math.cos(angle);
      this.normals[i + 1] = radius * Math.sin(angle);
    }
  }

  #next() {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  pick(table, target) {
    let x = this.#state;
    for (let i = 0; i < target.length; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      target[i] = table[(x >>> 8) & 0xffff];
    }
    this.#state = x;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dtype: { type: 'string' },
      layers: { type: 'string' },
      width: { type: 'string' },
      features: { type: 'string' },
      vocabulary: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const size = {};
  for (const key of ['layers', 'width', 'features', 'vocabulary']) {
    if (values[key] === undefined) continue;
    size[key] = Number(values[key]);
    if (!Number.isInteger(size[key]) || size[key] < 1) {
      throw new Error(`Expected a positive integer for --${key} but received ${values[key]}`);
    }
  }
  const [model = '110m'] = positionals;
  if (!(model in sizes) && model !== 'custom') {
    throw new Error(`Expected ${Object.keys(sizes).join(', ')} or custom as the model but received ${model}`);
  }
  if (model !== 'custom' && Object.keys(size).length > 0) {
    throw new Error(
      `Expected no sizes beside ${model} but received --${Object.keys(size).join(', --')}; name custom`,
    );
  }
  console.log(randomModel(model, { dtype: values.dtype, size, out: values.out }));
}
