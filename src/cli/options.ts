/**
 * The command line's options: one table says each one's type, environment variable, default and help; the values are
 * checked here, once. Names and variables are parakeet-mlx's where it has them.
 */
import { parseArgs } from 'node:util';
import { pcmEncodings } from '../transforms/formats/pcm.js';
import { UsageError } from './usage-error.js';

type Kind = 'text' | 'number' | 'integer' | 'time' | 'switch';

/** One option of a command. */
export interface OptionSpec {
  kind: Kind;
  /** Environment variable that stands in when the option is not given. */
  env?: string;
  short?: string;
  /** Placeholder of the value, in the help. */
  value?: string;
  help: string;
  /** Smallest value of a number. */
  minimum?: number;
  /** The only values of a text. */
  choices?: readonly string[];
  default?: string | number | boolean;
  /** Another spelling for the option set to a value: not in the help on its own line. */
  means?: { option: string; value: string | boolean };
}

export type OptionTable = Record<string, OptionSpec>;

/** What came out of {@link parse}: every option of the table, `undefined` when neither given nor defaulted. */
export interface Parsed {
  values: Map<string, string | number | boolean>;
  positionals: string[];
}

const COMMON = {
  model: {
    kind: 'text',
    env: 'PARAKEET_MODEL',
    value: 'NAME',
    help: 'a folder, or a Hugging Face repository id (default: the bundled parakeet-tiny-en)',
  },
  'cache-dir': {
    kind: 'text',
    env: 'PARAKEET_CACHE_DIR',
    value: 'DIR',
    help: "where models from Hugging Face are kept (default: Hugging Face's own cache)",
  },
  dtype: {
    kind: 'text',
    env: 'PARAKEET_DTYPE',
    choices: ['auto', 'float32', 'bfloat16', 'int8'],
    default: 'auto',
    help: 'of the weights and their products; auto is bfloat16 where that is fast, else float32',
  },
  fp32: {
    kind: 'switch',
    env: 'PARAKEET_FP32',
    help: '--dtype float32',
    means: { option: 'dtype', value: 'float32' },
  },
  bf16: { kind: 'switch', help: '--dtype bfloat16', means: { option: 'dtype', value: 'bfloat16' } },
  threads: {
    kind: 'integer',
    env: 'PARAKEET_THREADS',
    value: 'N',
    minimum: 1,
    help: 'threads of the CPU to use (default: all cores)',
  },
  'max-words': {
    kind: 'integer',
    env: 'PARAKEET_MAX_WORDS',
    value: 'N',
    minimum: 1,
    help: 'end a sentence after N words',
  },
  'silence-gap': {
    kind: 'number',
    env: 'PARAKEET_SILENCE_GAP',
    value: 'SECONDS',
    minimum: 0,
    help: 'end a sentence at a silence of this length',
  },
  'max-duration': {
    kind: 'number',
    env: 'PARAKEET_MAX_DURATION',
    value: 'SECONDS',
    minimum: 0,
    help: 'end a sentence that grows longer than this',
  },
  decoding: {
    kind: 'text',
    env: 'PARAKEET_DECODING',
    choices: ['greedy', 'beam'],
    default: 'greedy',
    help: 'how words are chosen; beam follows several readings: fewer errors, a little slower',
  },
  head: {
    kind: 'text',
    env: 'PARAKEET_HEAD',
    choices: ['tdt', 'rnnt', 'ctc'],
    help: "which head of a hybrid model decodes (default: the model's best)",
  },
  'beam-size': {
    kind: 'integer',
    env: 'PARAKEET_BEAM_SIZE',
    value: 'N',
    minimum: 1,
    default: 5,
    help: 'beam: readings that are followed',
  },
  'length-penalty': {
    kind: 'number',
    env: 'PARAKEET_LENGTH_PENALTY',
    value: 'X',
    minimum: 0,
    default: 1,
    help: 'beam: how much long readings are favoured; 0: not',
  },
  patience: {
    kind: 'number',
    env: 'PARAKEET_PATIENCE',
    value: 'X',
    minimum: 0.01,
    default: 1,
    help: 'beam, TDT: how many readings must reach the end, as a multiple of --beam-size',
  },
  'duration-reward': {
    kind: 'number',
    env: 'PARAKEET_DURATION_REWARD',
    value: 'X',
    minimum: 0,
    default: 0.7,
    help: 'beam, TDT: weight of durations against words, 0 to 1',
  },
  boost: {
    kind: 'text',
    env: 'PARAKEET_BOOST',
    value: 'FILE',
    help: 'phrases to listen for, one a line (with a tab and a weight after it, or not)',
  },
  start: { kind: 'time', value: 'TIME', minimum: 0, help: 'skip so much: seconds, or 1:30, or 1:02:03.5' },
  duration: { kind: 'time', value: 'TIME', minimum: 0.001, help: 'hear no more than so much' },
  'audio-stream': {
    kind: 'integer',
    value: 'N',
    minimum: 0,
    help: "which of a file's audio streams, from 0 (needs ffmpeg)",
  },
  'highlight-words': { kind: 'switch', help: 'srt, vtt: one cue a word, with the word marked' },
  'no-highlight-words': {
    kind: 'switch',
    help: 'one cue a sentence, the default',
    means: { option: 'highlight-words', value: false },
  },
  verbose: { kind: 'switch', short: 'v', help: 'say on stderr what is being done' },
  version: { kind: 'switch', help: 'print the version' },
  help: { kind: 'switch', short: 'h', help: 'print this help' },
} as const satisfies OptionTable;

/** How words are chosen: the same live and for files. */
const DECODING = {
  decoding: COMMON.decoding,
  head: COMMON.head,
  'beam-size': COMMON['beam-size'],
  'length-penalty': COMMON['length-penalty'],
  patience: COMMON.patience,
  'duration-reward': COMMON['duration-reward'],
  boost: COMMON.boost,
} as const satisfies OptionTable;

/** Formats that a transcript file can have; `all` writes each of them. */
export const FORMATS = ['txt', 'srt', 'vtt', 'json', 'jsonl'] as const;
export type OutputFormat = (typeof FORMATS)[number];

/** What `--format` names: formats that are recognised, and raw PCM. */
const INPUT_FORMATS = ['auto', 'wav', 'flac', ...pcmEncodings] as const;

export const TRANSCRIBE_OPTIONS: OptionTable = {
  model: COMMON.model,
  'output-dir': { kind: 'text', value: 'DIR', default: '.', help: 'where transcripts are written' },
  'output-format': {
    kind: 'text',
    env: 'PARAKEET_OUTPUT_FORMAT',
    choices: [...FORMATS, 'all'],
    default: 'srt',
    help: 'the format of the transcripts',
  },
  'output-template': {
    kind: 'text',
    env: 'PARAKEET_OUTPUT_TEMPLATE',
    value: 'TEMPLATE',
    default: '{filename}',
    help: 'their names, of {parent}, {filename}, {index} and {date}',
  },
  start: COMMON.start,
  duration: COMMON.duration,
  'audio-stream': COMMON['audio-stream'],
  'highlight-words': COMMON['highlight-words'],
  'no-highlight-words': COMMON['no-highlight-words'],
  ...DECODING,
  'max-words': COMMON['max-words'],
  'silence-gap': COMMON['silence-gap'],
  'max-duration': COMMON['max-duration'],
  'chunk-duration': {
    kind: 'number',
    env: 'PARAKEET_CHUNK_DURATION',
    value: 'SECONDS',
    minimum: 0,
    default: 120,
    help: 'long audio is worked through in windows of this length; 0: in one piece',
  },
  'overlap-duration': {
    kind: 'number',
    env: 'PARAKEET_OVERLAP_DURATION',
    value: 'SECONDS',
    minimum: 0,
    default: 15,
    help: 'how much one window overlaps the next',
  },
  attention: {
    kind: 'text',
    choices: ['full', 'local'],
    default: 'full',
    help: 'local needs less memory for long windows',
  },
  'local-attention': {
    kind: 'switch',
    env: 'PARAKEET_LOCAL_ATTENTION',
    help: '--attention local',
    means: { option: 'attention', value: 'local' },
  },
  'full-attention': {
    kind: 'switch',
    help: '--attention full',
    means: { option: 'attention', value: 'full' },
  },
  'local-attention-context-size': {
    kind: 'integer',
    env: 'PARAKEET_LOCAL_ATTENTION_CTX',
    value: 'FRAMES',
    minimum: 0,
    default: 256,
    help: 'how many frames of 80 ms local attention sees on each side',
  },
  dtype: COMMON.dtype,
  fp32: COMMON.fp32,
  bf16: COMMON.bf16,
  threads: COMMON.threads,
  'cache-dir': COMMON['cache-dir'],
  verbose: COMMON.verbose,
  version: COMMON.version,
  help: COMMON.help,
};

export const LIVE_OPTIONS: OptionTable = {
  model: COMMON.model,
  mic: { kind: 'switch', help: 'the sound of a microphone instead of stdin' },
  device: {
    kind: 'text',
    value: 'NAME',
    help: 'the microphone: a name, a part of one, or a number, as parakeet devices lists them',
  },
  format: {
    kind: 'text',
    value: 'FORMAT',
    choices: INPUT_FORMATS,
    default: 'auto',
    help: 'of the audio on stdin; auto recognises sound files, and takes the rest for s16le',
  },
  rate: { kind: 'integer', value: 'HZ', minimum: 1, default: 16000, help: 'of raw PCM' },
  channels: { kind: 'integer', value: 'N', minimum: 1, default: 1, help: 'of raw PCM' },
  output: {
    kind: 'text',
    short: 'o',
    value: 'FILE',
    help: 'also write a .srt, .vtt, .txt, .json or .jsonl file as the words come',
  },
  latency: {
    kind: 'text',
    choices: ['low', 'balanced', 'accurate'],
    default: 'balanced',
    help: 'how long to wait for what follows before a word is final',
  },
  refine: { kind: 'switch', help: 'hear each sentence again when it is over: better files, more work' },
  'silence-gate': { kind: 'switch', help: 'let the model sleep while nobody speaks' },
  record: {
    kind: 'text',
    value: 'FILE',
    help: 'keep the session (FILE.jsonl, and the sound beside it), for parakeet replay',
  },
  'highlight-words': COMMON['highlight-words'],
  'no-highlight-words': COMMON['no-highlight-words'],
  ...DECODING,
  'max-words': COMMON['max-words'],
  'silence-gap': COMMON['silence-gap'],
  'max-duration': COMMON['max-duration'],
  dtype: COMMON.dtype,
  fp32: COMMON.fp32,
  bf16: COMMON.bf16,
  threads: COMMON.threads,
  'cache-dir': COMMON['cache-dir'],
  verbose: COMMON.verbose,
  version: COMMON.version,
  help: COMMON.help,
};

export const MODELS_OPTIONS: OptionTable = {
  revision: { kind: 'text', value: 'NAME', help: 'pull: the branch, tag or commit (default: main)' },
  json: { kind: 'switch', help: 'print one line of JSON' },
  dtype: { ...COMMON.dtype, help: 'convert: what the matrices are written in; auto leaves them as they are' },
  threads: COMMON.threads,
  'cache-dir': COMMON['cache-dir'],
  version: COMMON.version,
  help: COMMON.help,
};

export const DEVICES_OPTIONS: OptionTable = {
  json: { kind: 'switch', help: 'print one line of JSON' },
  version: COMMON.version,
  help: COMMON.help,
};

export const REPLAY_OPTIONS: OptionTable = {
  model: { ...COMMON.model, help: 'another model than that of the session' },
  json: { kind: 'switch', help: 'print one line of JSON' },
  dtype: { ...COMMON.dtype, help: "another type than the session's (auto)" },
  threads: COMMON.threads,
  'cache-dir': COMMON['cache-dir'],
  version: COMMON.version,
  help: COMMON.help,
};

export const VERIFY_OPTIONS: OptionTable = {
  json: { kind: 'switch', help: 'print one line of JSON' },
  dtype: COMMON.dtype,
  fp32: COMMON.fp32,
  bf16: COMMON.bf16,
  threads: COMMON.threads,
  'cache-dir': COMMON['cache-dir'],
  version: COMMON.version,
  help: COMMON.help,
};

export const DOCTOR_OPTIONS: OptionTable = {
  json: { kind: 'switch', help: 'print one line of JSON' },
  threads: COMMON.threads,
  version: COMMON.version,
  help: COMMON.help,
};

/**
 * Reads a command line against a table. What is given wins over the environment, which wins over the default.
 *
 * @throws {@link UsageError} an unknown option, a missing or wrong value.
 */
export function parse(table: OptionTable, argv: string[], env: NodeJS.ProcessEnv): Parsed {
  const given = parseTokens(table, argv);
  const values = new Map<string, string | number | boolean>();
  for (const [name, spec] of Object.entries(table)) {
    if (spec.default !== undefined) values.set(name, spec.default);
  }
  for (const [name, spec] of Object.entries(table)) {
    const text = spec.env === undefined ? undefined : env[spec.env];
    if (text !== undefined && text !== '') setValue(values, table, name, read(spec, text, spec.env ?? name));
  }
  // In the order of the command line, so that of `--fp32 --bf16` the last one counts.
  for (const { name, text } of given.options) {
    const spec = table[name] as OptionSpec;
    setValue(values, table, name, text === undefined ? true : read(spec, text, `--${name}`));
  }
  return { values, positionals: given.positionals };
}

function parseTokens(table: OptionTable, argv: string[]) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple: true }> = {};
  for (const [name, spec] of Object.entries(table)) {
    const type = spec.kind === 'switch' ? 'boolean' : 'string';
    options[name] = { type, multiple: true, ...(spec.short === undefined ? {} : { short: spec.short }) };
  }
  try {
    const { tokens, positionals } = parseArgs({
      args: argv,
      options,
      allowPositionals: true,
      tokens: true,
    });
    const found = tokens
      .filter((token) => token.kind === 'option')
      .map((token) => ({ name: token.name, text: token.value }));
    return { options: found, positionals };
  } catch (error) {
    // Node's own sentences name the option and what is wrong with it.
    throw new UsageError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}

function setValue(
  values: Map<string, string | number | boolean>,
  table: OptionTable,
  name: string,
  value: string | number | boolean,
): void {
  const means = table[name]?.means;
  if (means === undefined) values.set(name, value);
  else if (value === true) values.set(means.option, means.value);
}

function read(spec: OptionSpec, text: string, name: string): string | number | boolean {
  if (spec.kind === 'switch') return readSwitch(text, name);
  if (spec.kind === 'text') {
    if (spec.choices !== undefined && !spec.choices.includes(text)) {
      throw new UsageError(`Expected one of ${spec.choices.join(', ')} for ${name} but received ${text}`);
    }
    return text;
  }
  const value = spec.kind === 'time' ? seconds(text) : text.trim() === '' ? Number.NaN : Number(text);
  const fits = spec.kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!fits || value < (spec.minimum ?? Number.NEGATIVE_INFINITY)) {
    const what = { integer: 'a whole number', time: 'seconds or [h:]mm:ss', number: 'a number' }[spec.kind];
    const least = spec.minimum === undefined ? '' : ` of at least ${spec.minimum}`;
    throw new UsageError(`Expected ${what}${least} for ${name} but received ${text}`);
  }
  return value;
}

/** `90`, `1:30`, `1:02:03.5`; NaN for anything else. */
function seconds(text: string): number {
  if (!/^(\d+:){0,2}\d+(\.\d+)?$/.test(text)) return Number.NaN;
  return text.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
}

function readSwitch(text: string, name: string): boolean {
  if (/^(1|true|t|yes|y|on)$/i.test(text)) return true;
  if (/^(0|false|f|no|n|off)$/i.test(text)) return false;
  throw new UsageError(`Expected true or false for ${name} but received ${text}`);
}
