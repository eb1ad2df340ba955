/**
 * Parakeet in the format of Hugging Face transformers (`ParakeetForTDT`, `ParakeetForCTC`, `NemotronAsrStreamingForRNNT`): its configuration
 * in NeMo's terms, its tensors by the engine's names. The vocabulary is in `tokenizer.json`.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { NativeTensor } from '../../engine/addon.js';
import { ModelError } from '../../errors.js';
import { type Json, parseJson } from './json.js';
import { channelsLast, lstmName } from './model-files.js';
import { readSentencePieces } from './sentencepiece.js';
import { readCacheAware, readPromptDefaults } from './transformers-cache-aware.js';

const TYPES = {
  parakeet_tdt: 'nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel',
  parakeet_rnnt: 'nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel',
  parakeet_ctc: 'nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE',
  nemotron_asr_streaming: 'nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel',
  nemotron3_5_asr: 'nemo.collections.asr.models.rnnt_bpe_models_prompt.EncDecRNNTBPEModelWithPrompt',
} as const;

/** True for a `config.json` of transformers; NeMo's has no `model_type` at its root. */
export function isTransformersConfig(config: unknown): config is Json {
  return typeof config === 'object' && config !== null && typeof (config as Json).model_type === 'string';
}

/**
 * NeMo's configuration and the engine's tensors of a transformers model.
 *
 * @throws {ModelError} `ERR_PARAKEET_UNSUPPORTED_MODEL` for a model other than a Parakeet; `ERR_PARAKEET_MODEL_NOT_FOUND` without a
 * vocabulary; `ERR_PARAKEET_INVALID_CONFIG`.
 */
export async function readTransformers(
  config: Json,
  tensors: readonly NativeTensor[],
  folder: string,
): Promise<{ config: unknown; tensors: NativeTensor[] }> {
  const file = path.join(folder, 'config.json');
  const type = config.model_type as string;
  if (!(type in TYPES)) {
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected ${Object.keys(TYPES).join(', ')} for 'model_type' in ${file} but found '${type}'`,
    );
  }
  const ctc = type === 'parakeet_ctc';
  const cacheAware = type.startsWith('nemotron');
  const blank = ctc ? config.pad_token_id : (config.blank_token_id ?? config.pad_token_id);
  if (typeof blank !== 'number' || config.vocab_size !== blank + 1) {
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected the blank to be the last of 'vocab_size' in ${file} but found ${String(blank)} of ${String(config.vocab_size)}`,
    );
  }
  const vocabulary = await readVocabulary(folder, blank);
  const extractor = await readExtractor(folder);
  const nemo = ctc
    ? { decoder: { vocabulary, feat_in: encoderOf(config, file).hidden_size, num_classes: blank } }
    : transducer(config, vocabulary, type === 'parakeet_tdt');
  return {
    config: {
      target: TYPES[type as keyof typeof TYPES],
      preprocessor: preprocessor(extractor, cacheAware ? 'NA' : 'per_feature'),
      encoder: {
        ...encoder(encoderOf(config, file), extractor.feature_size, file),
        ...(cacheAware && (await readCacheAware(encoderOf(config, file), folder))),
      },
      ...nemo,
      ...(type === 'nemotron3_5_asr' && {
        model_defaults: await readPromptDefaults(config, encoderOf(config, file), folder),
      }),
    },
    tensors: tensors.map((tensor) => channelsLast({ ...tensor, name: nameOf(tensor.name) })),
  };
}

/** The log-mel settings of the feature extractor, which are NeMo's. */
function preprocessor(extractor: Json, normalize: 'NA' | 'per_feature'): Json {
  const { sampling_rate: rate, win_length: window, hop_length: hop } = extractor;
  return {
    sample_rate: rate,
    normalize,
    window_size: (window as number) / (rate as number),
    window_stride: (hop as number) / (rate as number),
    window: 'hann',
    features: extractor.feature_size,
    n_fft: extractor.n_fft,
    preemph: extractor.preemphasis ?? 0.97,
    pad_to: 0,
  };
}

function encoderOf(config: Json, file: string): Json {
  const own = config.encoder_config;
  if (typeof own === 'object' && own !== null) return own as Json;
  throw new ModelError('ERR_PARAKEET_INVALID_CONFIG', `Expected an object 'encoder_config' in ${file}`);
}

function encoder(own: Json, features: unknown, file: string): Json {
  const only = (key: string, values: unknown[]) => {
    if (values.includes(own[key])) return;
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected ${values.map(String).join(' or ')} for 'encoder_config.${key}' in ${file} but found ${String(own[key])}`,
    );
  };
  only('hidden_act', ['silu', undefined]);
  only('subsampling_conv_kernel_size', [3, undefined]);
  only('subsampling_conv_stride', [2, undefined]);
  only('num_key_value_heads', [own.num_attention_heads, undefined]);
  only('num_mel_bins', [features]);
  only('convolution_bias', [own.attention_bias]);
  return {
    feat_in: own.num_mel_bins,
    n_layers: own.num_hidden_layers,
    d_model: own.hidden_size,
    n_heads: own.num_attention_heads,
    ff_expansion_factor: (own.intermediate_size as number) / (own.hidden_size as number),
    subsampling_factor: own.subsampling_factor,
    self_attention_model: 'rel_pos',
    subsampling: 'dw_striding',
    conv_kernel_size: own.conv_kernel_size,
    subsampling_conv_channels: own.subsampling_conv_channels,
    causal_downsampling: false,
    use_bias: own.attention_bias,
    xscaling: own.scale_input,
  };
}

function transducer(config: Json, vocabulary: string[], tdt: boolean): Json {
  const durations = tdt ? config.durations : undefined;
  return {
    decoder: {
      blank_as_pad: true,
      vocab_size: vocabulary.length,
      prednet: { pred_hidden: config.decoder_hidden_size, pred_rnn_layers: config.num_decoder_layers },
    },
    joint: {
      num_classes: vocabulary.length,
      vocabulary,
      jointnet: { joint_hidden: config.decoder_hidden_size, activation: config.hidden_act },
      num_extra_outputs: Array.isArray(durations) ? durations.length : 0,
    },
    decoding: {
      ...(tdt && { model_type: 'tdt', durations }),
      greedy: { max_symbols: config.max_symbols_per_step ?? null },
    },
    ...(tdt && { model_defaults: { tdt_durations: durations } }),
  };
}

/** The place of a stage's convolutions in NeMo's list, where the first convolution and a ReLU come before the first stage. */
const stage = (_: string, index: string, kind: string): string =>
  `encoder.pre_encode.conv.${3 * Number(index) + (kind === 'depthwise' ? 2 : 3)}.`;

const NAMES: readonly (readonly [RegExp, string | typeof stage])[] = [
  [/^encoder\.subsampling\.conv_in\./, 'encoder.pre_encode.conv.0.'],
  [/^encoder\.subsampling\.layers\.(\d+)\.(depthwise|pointwise)_conv\./, stage],
  [/^encoder\.subsampling\.linear\./, 'encoder.pre_encode.out.'],
  [/^encoder\.subsampling\.layers\./, 'encoder.pre_encode.conv.'],
  [/\.conv\.norm\./, '.conv.batch_norm.'],
  [/\.self_attn\.([qkv])_proj\./, '.self_attn.linear_$1.'],
  [/\.self_attn\.o_proj\./, '.self_attn.linear_out.'],
  [/\.self_attn\.relative_k_proj\./, '.self_attn.linear_pos.'],
  [/\.self_attn\.bias_([uv])$/, '.self_attn.pos_bias_$1'],
  [/^encoder_projector\./, 'joint.enc.'],
  [/^decoder\.decoder_projector\./, 'joint.pred.'],
  [/^joint\.head\./, 'joint.joint_net.2.'],
  [/^decoder\.embedding\./, 'decoder.prediction.embed.'],
  [/^decoder\.lstm\./, 'decoder.prediction.dec_rnn.lstm.'],
  [/^prompt_projector\.linear_1\./, 'prompt_kernel.0.'],
  [/^prompt_projector\.linear_2\./, 'prompt_kernel.2.'],
  [/^ctc_head\./, 'decoder.decoder_layers.0.'],
];

function nameOf(name: string): string {
  return lstmName(NAMES.reduce((changed, [from, to]) => changed.replace(from, to as string), name));
}

async function readExtractor(folder: string): Promise<Json> {
  for (const file of ['preprocessor_config.json', 'processor_config.json']) {
    const text = await readFile(path.join(folder, file), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const json = parse(text, path.join(folder, file));
    const own = (json.feature_extractor ?? json) as Json;
    const keys = ['sampling_rate', 'win_length', 'hop_length', 'feature_size', 'n_fft'];
    const missing = keys.find((key) => typeof own[key] !== 'number');
    if (missing === undefined) return own;
    throw new ModelError(
      'ERR_PARAKEET_INVALID_CONFIG',
      `Expected a number for '${missing}' in ${path.join(folder, file)} but found ${JSON.stringify(own[missing])}`,
    );
  }
  throw new ModelError(
    'ERR_PARAKEET_MODEL_NOT_FOUND',
    `Expected preprocessor_config.json or processor_config.json in the model folder ${folder} but found none`,
  );
}

/** The pieces before the blank. */
async function readVocabulary(folder: string, count: number): Promise<string[]> {
  const file = path.join(folder, 'tokenizer.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const model = path.join(folder, 'tokenizer.model');
    if (await stat(model).catch(() => undefined))
      return readSentencePieces(await readFile(model), model).slice(0, count);
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected tokenizer.json or tokenizer.model in the model folder ${folder} but found none`,
    );
  }
  const json = parse(text, file);
  const pieces = new Map<number, string>();
  const model = (json.model ?? {}) as { vocab?: unknown };
  if (Array.isArray(model.vocab)) {
    model.vocab.forEach((entry: unknown, id) => {
      if (Array.isArray(entry) && typeof entry[0] === 'string') pieces.set(id, entry[0]);
    });
  } else if (typeof model.vocab === 'object' && model.vocab !== null) {
    for (const [piece, id] of Object.entries(model.vocab)) pieces.set(Number(id), piece);
  }
  for (const added of (Array.isArray(json.added_tokens) ? json.added_tokens : []) as Json[]) {
    if (typeof added.id === 'number' && typeof added.content === 'string')
      pieces.set(added.id, added.content);
  }
  return Array.from({ length: count }, (_, id) => {
    const piece = pieces.get(id);
    if (piece !== undefined) return piece;
    throw new ModelError(
      'ERR_PARAKEET_INVALID_CONFIG',
      `Expected ${count} pieces in ${file} but found none with the id ${id}`,
    );
  });
}

function parse(text: string, file: string): Json {
  const json = parseJson(text, file);
  if (typeof json === 'object' && json !== null) return json as Json;
  throw new ModelError('ERR_PARAKEET_INVALID_CONFIG', `Expected a JSON object in ${file}`);
}
