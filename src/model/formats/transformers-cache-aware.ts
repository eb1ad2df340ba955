/** The cache-aware part of a transformers configuration (`nemotron_asr_streaming`, `nemotron3_5_asr`) in NeMo's terms. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../errors.js';
import { isJson, type Json, parseJson } from './json.js';

/**
 * NeMo's keys of a cache-aware encoder. `sliding_window` counts the frame itself and those before it. The contexts that the model was
 * trained with stand in `processor_config.json`; without it there is the default one alone.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` naming the key.
 */
export async function readCacheAware(encoder: Json, folder: string): Promise<Json> {
  const file = path.join(folder, 'config.json');
  const window = encoder.sliding_window;
  if (!isFrames(window) || window < 1)
    throw invalid('encoder_config.sliding_window', 'an integer from 1', window, file);
  const usual = encoder.default_num_lookahead_tokens;
  if (!isFrames(usual)) {
    throw invalid('encoder_config.default_num_lookahead_tokens', 'an integer from 0', usual, file);
  }
  const rights = (await readLookaheads(path.join(folder, 'processor_config.json'))) ?? [usual];
  return {
    att_context_style: 'chunked_limited',
    att_context_size: rights.map((right) => [window - 1, right]),
    causal_downsampling: true,
    conv_context_size: 'causal',
    conv_norm_type: 'layer_norm',
  };
}

/**
 * NeMo's keys of a model that is told the language. The names of the languages stand in `processor_config.json`; without it there is the
 * default one, with which the model finds out.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_UNSUPPORTED_MODEL`, `ERR_PARAKEET_INVALID_CONFIG`.
 */
export async function readPromptDefaults(config: Json, encoder: Json, folder: string): Promise<Json> {
  const file = path.join(folder, 'config.json');
  const width = 2 * (encoder.hidden_size as number);
  if (config.prompt_intermediate_size !== width) {
    const found = JSON.stringify(config.prompt_intermediate_size);
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected twice the encoder's width (${width}) for 'prompt_intermediate_size' in ${file} but found ${found}`,
    );
  }
  const processor = await readProcessor(path.join(folder, 'processor_config.json'));
  return {
    num_prompts: config.num_prompts,
    prompt_dictionary: processor?.prompt_dictionary ?? { auto: config.default_prompt_id },
  };
}

async function readProcessor(file: string): Promise<Json | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const json = text === undefined ? undefined : parseJson(text, file);
  return isJson(json) ? json : undefined;
}

async function readLookaheads(file: string): Promise<number[] | undefined> {
  const key = 'supported_num_lookahead_tokens';
  const value = (await readProcessor(file))?.[key];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length > 0 && value.every(isFrames)) return value;
  throw invalid(key, 'a list of integers from 0', value, file);
}

function isFrames(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function invalid(key: string, expected: string, value: unknown, file: string): ModelError {
  const found = value === undefined ? 'it is missing' : `found ${JSON.stringify(value)}`;
  return new ModelError(
    'ERR_PARAKEET_INVALID_CONFIG',
    `Expected ${expected} for '${key}' in ${file} but ${found}`,
  );
}
