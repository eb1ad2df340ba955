/**
 * NeMo's `config.json`, checked key by key and reduced to what the engine needs. Only the configuration: whether the weights fit it is
 * checked natively.
 */
import type { NativeAttention, NativeModelConfig, NativeModelInfo } from '../engine/addon.js';
import { readChunkLeft, readContexts } from './cache-aware-config.js';
import { Section } from './config-section.js';
import { readPrompts } from './prompt-config.js';

/** The content of a model's `config.json`. */
export interface ModelConfig {
  native: NativeModelConfig;
  vocabulary: string[];
  /** How far a frame attends in a whole recording, in frames, -1 for no limit. */
  attention: NativeAttention;
  /** Contexts that a cache-aware model was trained with, the shortest chunk first; empty for other models. */
  contexts: NativeAttention[];
  /** Frames before a chunk, of a model that was trained for chunks as well as for whole recordings. */
  chunkLeft: number | undefined;
  /** Languages that a model can be told, with their numbers; empty for one that is not told. */
  prompts: Record<string, number>;
}

const TARGETS = {
  transducer: 'nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel',
  prompted: 'nemo.collections.asr.models.rnnt_bpe_models_prompt.EncDecRNNTBPEModelWithPrompt',
  hybrid: 'nemo.collections.asr.models.hybrid_rnnt_ctc_bpe_models.EncDecHybridRNNTCTCBPEModel',
  ctc: 'nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE',
} as const;

/** Tokens at one frame when the config sets no limit; NeMo's own configs say 10. */
const DEFAULT_MAX_SYMBOLS = 10;

/**
 * Reads a parsed `config.json`. `file` is named in errors.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` with the key, what was expected and what was found;
 * `ERR_PARAKEET_UNSUPPORTED_MODEL` for an architecture, or a part of one, that the engine does not have.
 */
export function readConfig(json: unknown, file: string): ModelConfig {
  const root = new Section(json, '', file);
  const architecture = readArchitecture(root);
  const features = root.section('preprocessor').integer('features', 1, 1024);
  const contexts = readContexts(root.section('encoder'), root.section('preprocessor'));
  const causal = contexts.length > 0;
  const encoder = readEncoder(root.section('encoder'), features, causal);
  const transducer = architecture !== 'ctc';
  const vocabulary = transducer
    ? root.section('joint').strings('vocabulary')
    : root.section('decoder').strings('vocabulary');
  const durations = architecture.startsWith('tdt') ? readDurations(root) : [];
  const { count, prompts } =
    root.get('target') === TARGETS.prompted ? readPrompts(root) : { count: 0, prompts: {} };
  return {
    vocabulary,
    attention: contexts.at(-1) ?? readAttention(root.section('encoder')),
    contexts,
    chunkLeft: readChunkLeft(root.section('encoder')),
    prompts,
    native: {
      architecture,
      preprocessor: readPreprocessor(root.section('preprocessor'), !causal),
      encoder,
      // NeMo gives the layer that reads the language twice the encoder's width.
      ...(count > 0 && { prompt: { prompts: count, hidden: 2 * encoder.dModel } }),
      ...(transducer ? readTransducer(root, vocabulary.length, durations.length) : {}),
      vocabularySize: vocabulary.length,
      durations,
      maxSymbols: readMaxSymbols(root),
    },
  };
}

function readArchitecture(root: Section): NativeModelInfo['architecture'] {
  const target = root.string('target');
  const durations = root.optionalSection('model_defaults')?.get('tdt_durations');
  if (target === TARGETS.ctc) return 'ctc';
  if (target === TARGETS.transducer || target === TARGETS.prompted) return durations == null ? 'rnnt' : 'tdt';
  if (target === TARGETS.hybrid && durations != null) return 'tdt-ctc';
  if (target === TARGETS.hybrid) {
    throw root.unsupported(
      'model_defaults.tdt_durations',
      'the durations of a hybrid TDT-CTC model',
      undefined,
    );
  }
  throw root.unsupported(
    'target',
    `a TDT, hybrid TDT-CTC, RNNT or CTC model of NeMo (${Object.values(TARGETS).join(', ')})`,
    target,
  );
}

function readPreprocessor(section: Section, normalize: boolean): NativeModelConfig['preprocessor'] {
  const sampleRate = section.integer('sample_rate', 1000, 192_000);
  const fftLength = section.integer('n_fft', 4, 65_536);
  if ((fftLength & (fftLength - 1)) !== 0) throw section.unsupported('n_fft', 'a power of two', fftLength);
  if (normalize) section.only('normalize', ['per_feature']);
  const windowLength = readSamples(section, 'window_size', sampleRate);
  if (windowLength > fftLength) {
    throw section.invalid('window_size', `at most n_fft (${fftLength} samples)`, `${windowLength} samples`);
  }
  section.only('mag_power', [2], 2);
  section.only('pad_to', [0], 0);
  const preemphasis = section.get('preemph');
  return {
    sampleRate,
    windowLength,
    hop: readSamples(section, 'window_stride', sampleRate),
    fftLength,
    features: section.integer('features', 1, 1024),
    preemphasis:
      preemphasis === null ? 0 : preemphasis === undefined ? 0.97 : section.number('preemph', 0, 1),
    window: section.word('window', ['hann', 'hamming', 'blackman', 'bartlett', 'ones'], 'hann'),
    normalize,
  };
}

/** Seconds as whole samples, at least one. */
function readSamples(section: Section, key: string, sampleRate: number): number {
  const seconds = section.number(key, 1e-4, 1);
  const samples = Math.trunc(seconds * sampleRate);
  if (samples < 1) throw section.invalid(key, `at least one sample at ${sampleRate} Hz`, seconds);
  return samples;
}

function readEncoder(section: Section, features: number, causal: boolean): NativeModelConfig['encoder'] {
  const feat = section.integer('feat_in', 1, 1024);
  if (feat !== features) throw section.invalid('feat_in', `preprocessor.features (${features})`, feat);
  section.only('subsampling', ['dw_striding']);
  section.only('self_attention_model', ['rel_pos', 'rel_pos_local_attn']);
  if (!causal) section.only('conv_norm_type', ['batch_norm'], 'batch_norm');
  const subsamplingFactor = section.integer('subsampling_factor', 2, 64);
  if ((subsamplingFactor & (subsamplingFactor - 1)) !== 0) {
    throw section.unsupported('subsampling_factor', 'a power of two', subsamplingFactor);
  }
  const dModel = section.integer('d_model', 2, 65_536);
  const heads = section.integer('n_heads', 1, 1024);
  if (dModel % heads !== 0 || dModel % 2 !== 0) {
    throw section.invalid('d_model', `an even multiple of n_heads (${heads})`, dModel);
  }
  const convKernel = section.integer('conv_kernel_size', 1, 255);
  if (convKernel % 2 === 0) throw section.invalid('conv_kernel_size', 'an odd number', convKernel);
  return {
    layers: section.integer('n_layers', 1, 1000),
    dModel,
    heads,
    feedForward: dModel * section.integer('ff_expansion_factor', 1, 64),
    subsamplingFactor,
    subsamplingChannels: section.integer('subsampling_conv_channels', 1, 65_536),
    convKernel,
    useBias: section.boolean('use_bias', true),
    xscaling: section.boolean('xscaling', false),
    causal,
  };
}

function readAttention(section: Section): NativeAttention {
  if (section.get('self_attention_model') === 'rel_pos') return [-1, -1];
  const context = section.integers('att_context_size', -1, 1_000_000);
  if (context.length !== 2) throw section.invalid('att_context_size', 'two integers', context);
  return [context[0] as number, context[1] as number];
}

function readDurations(root: Section): number[] {
  const section = root.section('decoding');
  section.only('model_type', ['tdt']);
  const durations = section.integers('durations', 0, 1000);
  if (durations.length === 0 || durations.every((duration) => duration === 0)) {
    throw section.invalid('durations', 'at least one duration above 0', durations);
  }
  return durations;
}

function readTransducer(
  root: Section,
  vocabulary: number,
  durations: number,
): Required<Pick<NativeModelConfig, 'predictor' | 'joint'>> {
  const decoder = root.section('decoder');
  const size = decoder.integer('vocab_size', 1, 1_000_000);
  if (size !== vocabulary) {
    throw decoder.invalid('vocab_size', `the size of joint.vocabulary (${vocabulary})`, size);
  }
  decoder.only('blank_as_pad', [true]);
  const joint = root.section('joint');
  const extra = joint.integer('num_extra_outputs', 0, 1000, 0);
  if (extra !== durations) {
    throw joint.invalid('num_extra_outputs', `the number of decoding.durations (${durations})`, extra);
  }
  const prednet = decoder.section('prednet');
  const jointnet = joint.section('jointnet');
  return {
    predictor: {
      hidden: prednet.integer('pred_hidden', 1, 65_536),
      layers: prednet.integer('pred_rnn_layers', 1, 64),
    },
    joint: {
      hidden: jointnet.integer('joint_hidden', 1, 65_536),
      activation: jointnet.word('activation', ['relu', 'sigmoid', 'tanh']),
    },
  };
}

function readMaxSymbols(root: Section): number {
  const greedy = root.optionalSection('decoding')?.optionalSection('greedy');
  const value = greedy?.get('max_symbols');
  return greedy && value != null ? greedy.integer('max_symbols', 1, 1000) : DEFAULT_MAX_SYMBOLS;
}
