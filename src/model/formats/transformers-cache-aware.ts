/** The cache-aware part of a transformers configuration (`nemotron_asr_streaming`) in NeMo's terms. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../errors.js';
import { type Json, parseJson } from './json.js';

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

async function readLookaheads(file: string): Promise<number[] | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const json = parseJson(text, file);
  const key = 'supported_num_lookahead_tokens';
  const value = typeof json === 'object' && json !== null ? (json as Json)[key] : undefined;
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
