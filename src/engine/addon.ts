/**
 * What the native addon exports, as types. This is the only description of that boundary in TypeScript; `native/binding/` is its other
 * side. Argument values are checked on this side before they get here; shapes are checked natively.
 *
 * Every native failure is a `ParakeetError` that the function passed to `makeErrorsWith` made. Methods that return a promise reject with
 * it, the others throw it.
 */

/** Facts about a loaded model. */
export interface NativeModelInfo {
  architecture: 'tdt' | 'tdt-ctc' | 'rnnt' | 'ctc';
  /** Samples per second that the model was trained on. */
  sampleRate: number;
  /** Samples from one mel frame to the next. */
  hop: number;
  /** Mel features per frame. */
  features: number;
  /** Mel frames per encoder frame. */
  subsamplingFactor: number;
  layers: number;
  dModel: number;
  /** Kernel of the depthwise convolution, in frames. */
  convKernel: number;
  /** SentencePiece pieces; the blank's id is `vocabulary.length`. */
  vocabulary: string[];
  /** TDT durations in frames; empty for RNNT and CTC. */
  durations: number[];
  /**
   * How far a frame attends in a whole recording: the model's own local attention, or [-1, -1] for no limit; of a cache-aware model the
   * largest of `contexts`.
   */
  attention: [left: number, right: number];
  /**
   * Contexts that a cache-aware model was trained with, the shortest first: the frames of a chunk, `right` + 1 of them, attend to each other
   * and to `left` frames before it. Empty for other models.
   */
  contexts: readonly [left: number, right: number][];
  /**
   * Frames before a chunk that a live stream attends to by default, of a model that was trained for chunks as well as for whole recordings.
   */
  chunkLeft?: number;
  /** Languages that the model can be told, with their numbers; empty for a model that is not told. */
  prompts: Readonly<Record<string, number>>;
  dtype: NativeDType;
  device: 'cpu' | 'gpu';
  /** Initial values for the running statistics of a stream, from the model folder's `streaming.json`. */
  prior?: { mean: number[]; std: number[]; frames: number };
  /** The path of the language model in the model's folder. */
  languageModel?: string;
  /** Of the bundled model: `transcribe`, `mode: 'file'` and `latency: 'accurate'` decode with it by default. */
  usesLanguageModel?: boolean;
  /** From the model folder's `confidence.json`, by head: how a measured confidence becomes a probability. */
  calibrations?: Readonly<
    Partial<
      Record<
        'tdt' | 'rnnt' | 'ctc',
        {
          measure: ConfidenceMeasure;
          scale: number;
          offset: number;
        }
      >
    >
  >;
}

/** Tokens as parallel arrays. Times are in frames from the start of the stream (or of the window). */
export interface NativeTokens {
  ids: Int32Array;
  starts: Int32Array;
  durations: Int32Array;
  confidences: Float32Array;
}

/** A matrix, row-major. */
export interface NativeMatrix {
  data: Float32Array;
  rows: number;
  columns: number;
}

/** How far a frame attends: `[left, right]` frames, -1 for no limit. */
export type NativeAttention = [left: number, right: number];

/** The same, and the number of the language for a model that is told one. */
export type NativeContext = [left: number, right: number, prompt?: number];

export type NativeHead = 'tdt' | 'rnnt' | 'ctc';

/** Measures of confidence, each in [0, 1]: see `decoding.confidence` (native/model/confidence.h). */
export type ConfidenceMeasure = 'entropy' | 'max-probability' | 'tsallis' | 'renyi' | 'margin';

/** Phrases as a tree whose edges are characters, and the characters of all pieces, in arrays (native/model/boost.h). */
export interface NativeBoostTree {
  /** For each piece of the vocabulary its first character; one more at the end. */
  firstCharacter: Int32Array;
  /** Numbers and flags of characters. */
  characters: Int32Array;
  /** For each node its first edge; one more at the end. */
  firstEdge: Int32Array;
  /** For each edge, in order of characters within a node. */
  edgeCharacters: Int32Array;
  edgeNext: Int32Array;
  /** For each node: of the phrases that end there, and what has been earned there. */
  weights: Float64Array;
  potentials: Float64Array;
  /** For each node: 1 where phrases are whole words. */
  whole: Uint8Array;
  firstUppercase: number;
}

/** How tokens are chosen: greedily without `beam`. */
export interface NativeDecoding {
  head: NativeHead;
  beam?: {
    size: number;
    search: 'frame' | 'parakeet-mlx';
    lengthPenalty: number;
    patience: number;
    durationReward: number;
  };
  boost?: NativeBoostTree | null;
  lm?: NativeFusion | null;
  /** Without a value, `'entropy'`. */
  confidence?: ConfidenceMeasure;
}

/** A language model in a mapped file. */
export interface NativeLanguageModel {
  /** Tokens of its longest grams. */
  readonly order: number;
  /** ln p of each token of a text, given those before it. */
  score(tokens: Int32Array): Float32Array;
}

/** Language models beside the acoustic one (native/model/fusion.h). */
export interface NativeFusion {
  /** At most 4; the sum of the shares is 1. */
  models: { model: NativeLanguageModel; share: number }[];
  weight: number;
  tokenBonus: number;
  internalWeight: number;
}

/** A language model's file, and how many grams of each length it has. */
export interface NativeLmFile {
  file: Uint8Array;
  grams: number[];
  /** Tokens of the text. */
  tokens: number;
}

/** A language model that is being made, of text or of grams. */
export interface NativeLmBuilder {
  /** The next tokens of the text; -1 ends one, so that nothing is counted across it. */
  addText(tokens: Int32Array): Promise<void>;
  /** Grams of `length` tokens with natural logarithms; the token `vocabulary` is `<s>`. */
  addGrams(length: number, tokens: Int32Array, values: Float32Array, backoffs: Float32Array): Promise<void>;
  /** The model of the text, of at most `bytes`; `start`: the token before a transcript, -1 for none. */
  estimate(bytes: number, start: number, vocabularyHash: Uint8Array): Promise<NativeLmFile>;
  /** The model of the grams; `unseen`: ln p of a token without one. */
  assemble(unseen: number, vocabularyHash: Uint8Array): Promise<NativeLmFile>;
  close(): Promise<void>;
}

export interface NativeEncoderOptions {
  /** Frames that become final at each step, at least 1. */
  chunk: number;
  /** Frames of right context before a frame is final, at least 0; 0 for a cache-aware model. */
  lookahead: number;
  /**
   * Tokens are final before their lookahead is there when so many drafts in a row (at least 2) agree on them and so many frames after the
   * token's first one (at least 0) have been seen, each of them with a confidence of at least `confidence`.
   */
  agreement?: { drafts: number; lookahead: number; confidence: number } | undefined;
  /**
   * Attention band in frames; -1 for no limit (left: all that is cached; right: to the end of the step). For a cache-aware model one of its
   * contexts, `chunk` being `right` + 1.
   */
  context: NativeContext;
  /** Frames of final audio whose keys and values are kept, at least 0. */
  cache: number;
  /** Statistics that normalise the mel frames. */
  normalization:
    | 'running'
    | 'none'
    /** With `frames`: initial values of running statistics, counted as so many mel frames. */
    | { mean: Float32Array; std: Float32Array; frames?: number };
  /** Frames after the last sound within which a token may begin, at the flush. */
  emissionDelay: number;
  /** Mel frames of quiet after which speech is over for the gate. */
  hangover: number;
  /** Whether the model sleeps while nobody speaks. */
  gate: boolean;
  /** Mel frames kept for `hearAgain`, besides those that are needed anyway. */
  history: number;
  /** Most steps of `chunk` frames that are taken as one when several are due; 1 keeps to the grid. */
  grow: number;
  /** Attention of `hearAgain`. */
  recall: NativeContext;
}

/** A step of the encoder, see `EncodedChunk`. */
export interface NativeTicket {
  ticket: number;
  firstFrame: number;
  final: number;
  draft: number;
  computeSeconds: number;
  /** Steps of the grid that this one replaces: more than 1 only with `grow`. */
  grown: number;
  /** Streams whose steps ran together with this one, including it. */
  batch: number;
}

/** Speech begins (`speech`) or has ended at a mel frame of the stream. */
export interface NativeSpeechChange {
  melFrame: number;
  speech: boolean;
}

/** Log-mel frames that stay native, on their way from a `NativeMel` to a `NativeEncoder`. */
export interface NativeFrames {
  readonly rows: number;
  /** Where speech begins and ends, as these frames have decided; the places may lie before them. */
  readonly changes?: readonly NativeSpeechChange[] | undefined;
  /** A copy of them, row-major. */
  data(): Float32Array;
}

/** Streaming log-mel of one stream. */
export interface NativeMel {
  /**
   * Mono samples at the model's rate; gives the frames that became complete. Those of a few samples are made at once, unless the session is
   * busy: that takes less time than waking its thread.
   */
  push(samples: Float32Array): NativeFrames | Promise<NativeFrames>;
  /** Ends the stream after `flush` samples of silence: `floor((samples + flush) / hop)` frames in all. */
  finish(flush: number): Promise<NativeFrames>;
  /** The whole state as bytes. */
  save(): Promise<Uint8Array>;
  /** Continues from it. Rejects with `ERR_PARAKEET_INVALID_SNAPSHOT` for bytes that don't fit; the session is unusable then. */
  load(state: Uint8Array): Promise<void>;
  /** Cancels what is queued (those promises reject with `ERR_PARAKEET_ABORTED`) and frees the state. */
  close(): Promise<void>;
}

/** Streaming encoder of one stream. */
export interface NativeEncoder {
  /** Appends mel frames; an array is copied, and its length is a multiple of `features`. */
  push(frames: NativeFrames | Float32Array): void;
  /** Ends the input, which had `samples` samples. */
  finish(samples: number): void;
  /** Makes everything that was pushed final with the steps that are due then, flushed by `silence` mel frames of digital silence. */
  flush(silence: number): void;
  /**
   * Appends `frames`, if given, as `push` does, and runs the next step that is due then; `null` when none is. After `finish`, the last step
   * is followed by `null`. When no step can be due, as after most pushes, `null` is returned synchronously, without asking the engine.
   */
  step(frames?: NativeFrames | Float32Array): Promise<NativeTicket | null> | null;
  /** See `NativeMel`. Not while a ticket is out. */
  save(): Promise<Uint8Array>;
  load(state: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Streaming decoder of one stream. */
export interface NativeDecoder {
  /** Decodes a ticket, once and in order, and frees its frames. `draft`: whether to make the draft tokens. */
  decode(
    encoder: NativeEncoder,
    ticket: number,
    draft: boolean,
  ): Promise<{ final: NativeTokens; draft: NativeTokens; computeSeconds: number }>;
  /**
   * Tokens of the frames [from, until) of the stream with full context on both sides, as far as the encoder's history reaches. Changes
   * nothing.
   */
  hearAgain(encoder: NativeEncoder, from: number, until: number): Promise<NativeTokens>;
  /** Replaces the boosted phrases from the next step on; `null` for none. */
  setBoost(boost: NativeBoostTree | null): Promise<void>;
  /** See `NativeMel`. */
  save(): Promise<Uint8Array>;
  load(state: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface NativeModel {
  /** `floor(samples / hop)` log-mel frames of the whole signal, not normalised. */
  logMel(samples: Float32Array): Promise<NativeMatrix>;
  /** NeMo's per-feature normalisation over all frames. */
  normalize(logMel: Float32Array, frames: number): Promise<NativeMatrix>;
  /** Encoder frames of normalised features. `job` is a key for `cancel`. */
  encode(features: Float32Array, frames: number, context: NativeContext, job: number): Promise<NativeMatrix>;
  /** Tokens of encoder frames. */
  decode(encoded: Float32Array, frames: number, decoding: NativeDecoding, job: number): Promise<NativeTokens>;
  /** Audio to tokens with full context, in one go. Requests made at the same time run together. */
  transcribe(
    samples: Float32Array,
    options: {
      context: NativeContext;
      decoding: NativeDecoding;
      flush: number;
      emissionDelay: number;
      job: number;
    },
  ): Promise<{ tokens: NativeTokens; computeSeconds: number }>;
  /** Log-mel frames to tokens with full context. Requests made at the same time run together. */
  recognizeMel(
    logMel: Float32Array,
    frames: number,
    options: { normalize: boolean; context: NativeContext; decoding: NativeDecoding; job: number },
  ): Promise<{ tokens: NativeTokens; computeSeconds: number }>;
  /** `hangover`: mel frames of quiet after which speech is over. */
  createMel(hangover: number): NativeMel;
  createEncoder(options: NativeEncoderOptions): NativeEncoder;
  createDecoder(decoding: NativeDecoding): NativeDecoder;
  /** Closes every session of the model, then frees it. */
  close(): Promise<void>;
}

/** A model's `config.json`, checked and reduced to what the engine needs (src/model/config.ts). */
export interface NativeModelConfig {
  architecture: NativeModelInfo['architecture'];
  preprocessor: {
    sampleRate: number;
    /** Samples. */
    windowLength: number;
    hop: number;
    fftLength: number;
    features: number;
    preemphasis: number;
    window: 'hann' | 'hamming' | 'blackman' | 'bartlett' | 'ones';
    /** Whether the encoder takes normalised features. */
    normalize: boolean;
  };
  encoder: {
    layers: number;
    dModel: number;
    heads: number;
    feedForward: number;
    subsamplingFactor: number;
    subsamplingChannels: number;
    convKernel: number;
    useBias: boolean;
    xscaling: boolean;
    /** Cache-aware: causal convolutions with layer norm, attention limited to chunks. */
    causal: boolean;
  };
  /** Transducers only. */
  predictor?: { hidden: number; layers: number };
  joint?: { hidden: number; activation: 'relu' | 'sigmoid' | 'tanh' };
  /** Of a model that is told the language: how many it can be, and the width of the layer that reads it. */
  prompt?: { prompts: number; hidden: number };
  vocabularySize: number;
  durations: number[];
  maxSymbols: number;
}

/** Type that weights are kept in and products are computed in. */
export type NativeDType = 'float32' | 'bfloat16' | 'int8' | 'int4';

/** Part of a model, as its time is counted (native/ops/profile.h). */
export type NativePart =
  | 'mel'
  | 'subsampling'
  | 'feedForward'
  | 'attention'
  | 'convolution'
  | 'decoder'
  | 'other';

/**
 * A tensor of a file of weights. Tensors with the same name are added up. `I8` and `I4` are the bytes and the four bits of our quantised
 * folders; the scale of each row is the tensor `<name>_scale`.
 */
export interface NativeTensor {
  name: string;
  path: string;
  dtype: 'F32' | 'F16' | 'BF16' | 'I8' | 'I4';
  shape: number[];
  /** Bytes from the start of the file. */
  offset: number;
  bytes: number;
  /**
   * Of a matrix that was packed for a CPU: the checksum of its panels (native/ops/checksum.h), which is compared when it is loaded. `shape`
   * is that of its layout (native/ops/packed_layout.h).
   */
  checksum?: number;
}

export interface NativeAddon {
  /**
   * Sets the function that makes this thread's errors from now on, from a code of the engine and a message; `cause` is an error of
   * Node-API. Without one they are plain `Error`s with a `code`.
   */
  makeErrorsWith(make: (code: string, message: string, cause?: unknown) => Error): void;
  /** `threads`: 0 for all cores; the first call decides for the process. `warmUp`: run everything once, so that a GPU has compiled it. `job` is a key for `cancel`, 0 for none. */
  loadModel(
    config: NativeModelConfig,
    tensors: NativeTensor[],
    options: { dtype: NativeDType; threads: number; warmUp?: boolean; job: number },
  ): Promise<NativeModel>;
  /** Opens a language model's file, which must be of the vocabulary of that size and hash. */
  openLanguageModel(path: string, vocabulary: number, vocabularyHash: Uint8Array): NativeLanguageModel;
  createLmBuilder(vocabulary: number, order: number): NativeLmBuilder;
  /** Cancels the job if it has not ended: its promise rejects with `ERR_PARAKEET_ABORTED`. */
  cancel(job: number): void;
  /** What is alive in this process, and pending calls of this thread; for tests and diagnostics. */
  counts(): { models: number; sessions: number; queued: number; calls: number };
  /**
   * What the encoder has done so far. For live streams: batches, the steps of single streams in them, and encoder frames. For whole
   * recordings (or windows of them): batches, and the number of recordings.
   */
  batches(): {
    batches: number;
    steps: number;
    frames: number;
    recordingBatches: number;
    recordings: number;
  };
  /** Encoder frames up to which steps of several streams, or several recordings, run together, for the whole process; 1 for none, 0 for what the device can take (the default). */
  setBatchFrames(frames: number): void;
  /** Keeps ALSA's own messages off stderr, if ALSA is loaded: the recorder's errors say what is wrong. */
  silenceAlsa(): void;
  /**
   * Decides for the process which device computes, and returns what was decided: the first call does. `'auto'` takes a GPU if there is one.
   * Throws where `'gpu'` decides and there is none.
   */
  useDevice(device: 'auto' | 'cpu' | 'gpu'): 'cpu' | 'gpu';
  /** The GPU that could compute: its name, and its memory in bytes. */
  gpu(): { name: string; memory: number } | null;
  /**
   * What the addon was built with, and what it found: the instruction set is that of the CPU kernels. `backend`: of the device that was
   * decided on, or would be.
   */
  build(): {
    mlx: string;
    onednn: string | null;
    instructions: string | null;
    backend: 'cpu' | 'metal' | 'cuda';
    /** What it can compute on where the device is there. */
    backends: ('cpu' | 'metal' | 'cuda')[];
    /** Whether products in bfloat16 are faster than those in float32. */
    nativeBfloat16: boolean;
    /** Whether int8 multiplies bytes; otherwise it only stores the weights as bytes. */
    byteProducts: boolean;
    mutant: string | null;
  };
  /** Threads of the CPU kernels. To be asked when a model is loaded, which may have decided their number. */
  threads(): number;
  /**
   * Operations per second (two for each multiply-add) of bare products `[rows, inputs] · [inputs, outputs]`: the best that the library
   * reaches here, with all threads, measured for about `seconds` for each method that it tries.
   */
  productSpeed(
    dtype: NativeDType,
    rows: number,
    inputs: number,
    outputs: number,
    seconds: number,
  ): Promise<number>;
  /** Rows of `columns` values, a multiple of 16, in four bits: their groups, row after row, and each row's scale (native/ops/four_bits.h). */
  quantizeFourBits(values: Float32Array, columns: number): { groups: Uint8Array; scale: Float32Array };
  /**
   * The shape of a matrix that is packed for this CPU's products in `dtype`, and not for `int4`: `[panels, groups, halves, columns, values]`.
   * `gated`: the halves of its rows are multiplied side by side. Null where no CPU kernels of ours compute.
   */
  packedShape(dtype: NativeDType, rows: number, columns: number, gated: boolean): number[] | null;
  /** Packs a matrix in that shape, which is stored as F32, BF16 or I8 row by row. */
  packWeights(
    dtype: NativeDType,
    stored: Uint8Array,
    rows: number,
    columns: number,
    gated: boolean,
  ): { bytes: Uint8Array; checksum: number };
  /** Starts (from zero) or stops the clock of each part; without an argument: seconds of CPU of each part so far. */
  profile(on: boolean): void;
  profile(): Record<NativePart, number>;
  /** Asks MLX's allocator: bytes in use, bytes cached, the limit of the cache. */
  memory(): { active: number; cache: number; cacheLimit: number };
}
