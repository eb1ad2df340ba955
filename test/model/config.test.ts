// What a malformed config.json says: the code, the key, what was expected, what was found.
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.js';
import { readConfig } from '../../src/model/config.js';
import { DEFAULT_SILENCE } from '../../src/model/latency.js';
import { resolveStreaming, streamingOf } from '../../src/model/streaming-options.js';
import { fakeModel } from '../support/fake-native.js';
import { ARCHITECTURES, type Architecture } from '../support/goldens.js';
import { type Json, readConfigOf } from '../support/model-folder.js';

const INVALID = 'ERR_PARAKEET_INVALID_CONFIG';
const UNSUPPORTED = 'ERR_PARAKEET_UNSUPPORTED_MODEL';

/** The config with `value` at a dotted `key`; `undefined` removes it. */
function changed(architecture: Architecture, key: string, value: unknown): Json {
  const config = readConfigOf(architecture);
  const names = key.split('.');
  const last = names.pop() as string;
  let section = config;
  for (const name of names) {
    section[name] ??= {};
    section = section[name];
  }
  if (value === undefined) delete section[last];
  else section[last] = value;
  return config;
}

function failure(json: unknown): ModelError {
  try {
    readConfig(json, 'the/config.json');
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('Expected the config to be refused');
}

type Case = [key: string, value: unknown, code: string, expected: RegExp, found: string, like?: Architecture];

const CASES: Case[] = [
  ['target', undefined, INVALID, /a string/, 'missing'],
  [
    'target',
    'nemo.collections.asr.models.aed_multitask_models.EncDecMultiTaskModel',
    UNSUPPORTED,
    /TDT/,
    'Multi',
  ],
  ['model_defaults.tdt_durations', undefined, UNSUPPORTED, /durations of a hybrid/, 'missing', 'tdt-ctc'],
  ['model_defaults', 'none', INVALID, /an object/, "'none'"],
  ['preprocessor', undefined, INVALID, /an object/, 'undefined'],
  ['preprocessor.sample_rate', undefined, INVALID, /an integer from 1000/, 'missing'],
  ['preprocessor.sample_rate', '16000', INVALID, /an integer/, "'16000'"],
  ['preprocessor.sample_rate', 0, INVALID, /an integer/, 'found 0'],
  ['preprocessor.features', 1.5, INVALID, /an integer/, '1.5'],
  ['preprocessor.n_fft', 500, UNSUPPORTED, /a power of two/, '500'],
  ['preprocessor.normalize', 'all_features', UNSUPPORTED, /'per_feature'/, "'all_features'"],
  ['preprocessor.normalize', undefined, INVALID, /'per_feature'/, 'missing'],
  ['preprocessor.window', 'kaiser', UNSUPPORTED, /'hann'/, "'kaiser'"],
  ['preprocessor.window', 7, INVALID, /'hann'/, 'found 7'],
  ['preprocessor.window_size', 0.5, INVALID, /at most n_fft/, '8000 samples'],
  ['preprocessor.window_size', null, INVALID, /a number/, 'null'],
  ['preprocessor.window_stride', -1, INVALID, /a number/, '-1'],
  ['preprocessor.preemph', 'much', INVALID, /a number/, "'much'"],
  ['preprocessor.mag_power', 1, UNSUPPORTED, /2/, 'found 1'],
  ['encoder', [], INVALID, /an object/, '[]'],
  ['encoder.feat_in', 80, INVALID, /preprocessor.features \(128\)/, '80'],
  ['encoder.subsampling', 'striding', UNSUPPORTED, /'dw_striding'/, "'striding'"],
  ['encoder.subsampling_factor', 6, UNSUPPORTED, /a power of two/, '6'],
  ['encoder.causal_downsampling', 'yes', UNSUPPORTED, /false/, "'yes'"],
  // A part of a cache-aware model, whose other parts are missing.
  ['encoder.att_context_style', 'chunked', UNSUPPORTED, /'regular'/, "'chunked'"],
  ['encoder.self_attention_model', 'abs_pos', UNSUPPORTED, /'rel_pos'/, "'abs_pos'"],
  ['encoder.conv_norm_type', 'layer_norm', UNSUPPORTED, /'batch_norm'/, "'layer_norm'"],
  ['encoder.conv_kernel_size', 8, INVALID, /an odd number/, '8'],
  ['encoder.d_model', 66, INVALID, /multiple of n_heads \(4\)/, '66'],
  ['encoder.n_layers', 0, INVALID, /an integer from 1/, '0'],
  ['encoder.d_model', 1e9, INVALID, /an integer/, '1000000000'],
  ['encoder.use_bias', 'yes', INVALID, /true or false/, "'yes'"],
  ['decoder.vocab_size', 46, INVALID, /joint.vocabulary \(47\)/, '46'],
  ['decoder.blank_as_pad', false, UNSUPPORTED, /true/, 'false'],
  ['decoder.prednet', undefined, INVALID, /an object/, 'undefined'],
  ['decoder.prednet.pred_hidden', undefined, INVALID, /an integer/, 'missing'],
  ['decoder.vocabulary', undefined, INVALID, /a list of strings/, 'missing', 'ctc'],
  ['joint.vocabulary', [1, 2], INVALID, /a list of strings/, '1, 2'],
  ['joint.vocabulary', [], INVALID, /a list of strings/, '[]'],
  ['joint.num_extra_outputs', 4, INVALID, /the number of decoding.durations \(5\)/, '4'],
  ['joint.jointnet.activation', 'gelu', UNSUPPORTED, /'relu'/, "'gelu'"],
  ['joint.jointnet.activation', undefined, INVALID, /'relu'/, 'missing'],
  ['decoding.model_type', 'rnnt', UNSUPPORTED, /'tdt'/, "'rnnt'"],
  ['decoding.durations', [0, 1, 2.5], INVALID, /integers/, '2.5'],
  ['decoding.durations', [0, 0, 0, 0, 0], INVALID, /a.* duration above 0/, '0'],
  ['decoding.greedy.max_symbols', 0, INVALID, /an integer from 1/, '0'],
];

describe('a config with a wrong key names it, what was expected and what was found', () => {
  test.each(CASES)('%s: %j', (key, value, code, expected, found, like = 'tdt') => {
    const error = failure(changed(like, key, value));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`'${key}'`);
    expect(error.message).toContain('the/config.json');
    expect(error.message).toMatch(expected);
    expect(error.message).toContain(found);
  });

  test.each([null, 7, 'text', [], undefined])('the whole is %j', (json) => {
    const error = failure(json);
    expect(error.code).toBe(INVALID);
    expect(error.message).toMatch(/Expected an object for the whole/);
  });

  test('a hop shorter than a sample', () => {
    const json = changed('tdt', 'preprocessor.sample_rate', 1000);
    json.preprocessor.window_stride = 1e-4;
    expect(failure(json).message).toMatch(/at least one sample.*window_stride/);
  });
});

test.each(ARCHITECTURES)('the config of a %s model is read', (architecture) => {
  const { native, vocabulary } = readConfig(readConfigOf(architecture), 'config.json');
  expect(native.architecture).toBe(architecture);
  expect(vocabulary).toHaveLength(47);
  expect(native.durations.length > 0).toBe(architecture.startsWith('tdt'));
  expect(native.preprocessor).toMatchObject({
    sampleRate: 16_000,
    hop: 160,
    windowLength: 400,
    fftLength: 512,
  });
});

test('what a config leaves out has NeMo’s default', () => {
  const json = readConfigOf('tdt');
  delete json.decoding.greedy;
  delete json.preprocessor.window;
  delete json.preprocessor.preemph;
  const { native } = readConfig(json, 'config.json');
  expect(native.maxSymbols).toBe(10);
  expect(native.preprocessor).toMatchObject({ window: 'hann', preemphasis: 0.97 });
});

describe('a cache-aware config', () => {
  const cacheAware = (more: object = {}, normalize: unknown = 'NA'): Json => {
    const config = readConfigOf('rnnt');
    config.preprocessor.normalize = normalize;
    Object.assign(config.encoder, {
      att_context_style: 'chunked_limited',
      att_context_size: [
        [70, 13],
        [70, 6],
        [70, 1],
        [70, 0],
      ],
      causal_downsampling: true,
      conv_context_size: 'causal',
      conv_norm_type: 'layer_norm',
      ...more,
    });
    return config;
  };

  test('has its contexts, the shortest first, and features as they are', () => {
    const { contexts, attention, native } = readConfig(cacheAware(), 'the/config.json');
    expect(contexts).toEqual([
      [70, 0],
      [70, 1],
      [70, 6],
      [70, 13],
    ]);
    expect(attention).toEqual([70, 13]);
    expect(native.encoder.causal).toBe(true);
    expect(native.preprocessor.normalize).toBe(false);
    expect(readConfig(cacheAware({ att_context_size: [70, 1] }), 'the/config.json').contexts).toEqual([
      [70, 1],
    ]);
  });

  test.each([
    ['encoder.att_context_style', { att_context_style: undefined }, INVALID, 'missing'],
    ['encoder.att_context_style', { att_context_style: 'regular' }, UNSUPPORTED, "'regular'"],
    ['encoder.causal_downsampling', { causal_downsampling: undefined }, INVALID, 'missing'],
    ['encoder.causal_downsampling', { causal_downsampling: false }, UNSUPPORTED, 'false'],
    ['encoder.conv_context_size', { conv_context_size: null }, INVALID, 'missing'],
    ['encoder.conv_norm_type', { conv_norm_type: undefined }, INVALID, 'missing'],
    ['encoder.conv_norm_type', { conv_norm_type: 'batch_norm' }, UNSUPPORTED, "'batch_norm'"],
    ['encoder.self_attention_model', { self_attention_model: 'rel_pos_local_attn' }, UNSUPPORTED, 'local'],
    ['encoder.att_context_size', { att_context_size: undefined }, INVALID, 'missing'],
    ['encoder.att_context_size', { att_context_size: [70] }, INVALID, '70'],
    ['encoder.att_context_size', { att_context_size: [-1, 6] }, INVALID, '-1'],
    ['encoder.att_context_size', { att_context_size: [[70, 12]] }, INVALID, '70, 12'],
    [
      'encoder.att_context_size',
      {
        att_context_size: [
          [70, 6],
          [14, 6],
        ],
      },
      INVALID,
      'each of their own',
    ],
  ] as const)('with %s as %j is refused by that name', (key, more, code, found) => {
    const error = failure(cacheAware(more));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`'${key}'`);
    expect(error.message).toContain(found);
  });

  test('that normalises its features contradicts itself', () => {
    expect(failure(cacheAware({}, 'per_feature')).message).toMatch(
      /'NA' for 'preprocessor.normalize'.*'per_feature'/,
    );
  });
});

describe('a config with languages', () => {
  const prompted = (defaults: unknown): Json => {
    const config = readConfigOf('rnnt');
    config.target = 'nemo.collections.asr.models.rnnt_bpe_models_prompt.EncDecRNNTBPEModelWithPrompt';
    config.model_defaults = defaults;
    return config;
  };

  test('has their numbers, and room for all of them', () => {
    const { prompts, native } = readConfig(
      prompted({ prompt_dictionary: { 'en-US': 0, auto: 101 } }),
      'c.json',
    );
    expect(prompts).toEqual({ 'en-US': 0, auto: 101 });
    expect(native.architecture).toBe('rnnt');
    expect(native.prompt).toEqual({ prompts: 128, hidden: 2 * native.encoder.dModel });
  });

  test.each([
    ['model_defaults.prompt_dictionary', {}],
    ['model_defaults.prompt_dictionary.de', { prompt_dictionary: { de: 200 } }],
    ['model_defaults.num_prompts', { num_prompts: 0, prompt_dictionary: {} }],
  ])('with a wrong %s is refused by that name', (key, defaults) => {
    const error = failure(prompted(defaults));
    expect(error.code).toBe(INVALID);
    expect(error.message).toContain(key);
  });
});

describe('a config of a model that was trained for chunks too', () => {
  const unified = (sizes: unknown): Json => {
    const config = readConfigOf('rnnt');
    Object.assign(config.encoder, {
      att_context_style: 'chunked_limited_with_rc',
      att_chunk_context_size: sizes,
      conv_context_style: 'dcc',
    });
    return config;
  };

  test('is that of a model for whole recordings, with the left context of its chunks', () => {
    const config = readConfig(unified([[70], [1, 2, 7, 13], [0, 1, 2, 3, 4, 7, 13]]), 'c.json');
    expect(config).toMatchObject({ contexts: [], attention: [-1, -1], chunkLeft: 70 });
    const { vocabulary: _, ...info } = fakeModel().info;
    const streams = { ...info, vocabulary: [], chunkLeft: 70 };
    expect(resolveStreaming(streams, {}).cache).toBe(70);
    expect(resolveStreaming(streams, { left: 100 }).cache).toBe(100);
    expect(streamingOf(streams, { latency: { chunk: 0.16, lookahead: 0.24 } }, DEFAULT_SILENCE).left).toBe(
      70,
    );
    expect(streamingOf(streams, { latency: { left: 8 } }, DEFAULT_SILENCE).left).toBe(100);
  });

  test.each([undefined, [70], [[], [1], [2]], [[-1], [1], [2]]])('with %j is refused', (sizes) => {
    const error = failure(unified(sizes));
    expect(error.code).toBe(INVALID);
    expect(error.message).toContain("'encoder.att_chunk_context_size'");
  });
});
