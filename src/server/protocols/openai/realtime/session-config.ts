/**
 * What a transcription session of OpenAI's realtime API is set to, in both forms: that of `session.update`, and that of the older
 * `transcription_session.update`.
 */
import type { BoostPhrase, InputOptions, UtteranceOptions } from '../../../../index.js';
import { encodingOf } from '../../../encodings.js';
import { asObject, type Message, protocolError } from '../../../sockets/messages.js';
import { phrasesOfPrompt } from '../form.js';

/** How turns are found; `null`: the client says where they end. */
interface TurnDetection {
  type: 'server_vad' | 'semantic_vad';
  /** Milliseconds of silence that end a turn. */
  silence_duration_ms: number;
  threshold: number;
  prefix_padding_ms: number;
}

export interface SessionConfig {
  /** A media type: `audio/pcm`, `audio/pcmu` or `audio/pcma`. */
  format: string;
  model: string;
  language: string | null;
  prompt: string;
  turns: TurnDetection | null;
}

const SERVER_VAD: TurnDetection = {
  type: 'server_vad',
  silence_duration_ms: 500,
  threshold: 0.5,
  prefix_padding_ms: 300,
};
/** The older names of formats. */
const OLDER: Readonly<Record<string, string>> = {
  pcm16: 'audio/pcm',
  g711_ulaw: 'audio/pcmu',
  g711_alaw: 'audio/pcma',
};
const PCM_RATE = 24_000;
const G711_RATE = 8000;
const LEAST_GAP = 0.16;
const GAP_AFTER_PUNCTUATION = 0.5;

export function defaultConfig(model: string): SessionConfig {
  return { format: 'audio/pcm', model, language: null, prompt: '', turns: SERVER_VAD };
}

/** `config` after a `session.update`. @throws {@link ServerError} for what it does not understand. */
export function updateSession(config: SessionConfig, session: Message): SessionConfig {
  if (session.type !== undefined && session.type !== 'transcription')
    throw protocolError(
      'Expected transcription for session.type: this server transcribes, and answers nothing',
    );
  const audio = section(session, 'audio', 'session.audio');
  const input = section(audio, 'input', 'session.audio.input');
  const format =
    input.format === undefined
      ? config.format
      : formatOf(asObject(input.format, 'session.audio.input.format'));
  return withCommon({ ...config, format }, input.transcription, input, 'session.audio.input');
}

/** `config` after a `transcription_session.update`. @throws as {@link updateSession}. */
export function updateOlderSession(config: SessionConfig, session: Message): SessionConfig {
  const name = session.input_audio_format;
  const format = name === undefined ? config.format : OLDER[String(name)];
  if (format === undefined)
    throw protocolError(
      `Expected pcm16, g711_ulaw or g711_alaw for input_audio_format but received ${String(name)}`,
    );
  return withCommon({ ...config, format }, session.input_audio_transcription, session, 'session');
}

/** The session as `session.created` and `session.updated` show it. */
export function describeSession(
  id: string,
  { format, model, language, prompt, turns }: SessionConfig,
): object {
  return {
    type: 'transcription',
    id,
    object: 'realtime.transcription_session',
    audio: {
      input: {
        format: format === 'audio/pcm' ? { type: format, rate: PCM_RATE } : { type: format },
        transcription: { model, language, prompt },
        noise_reduction: null,
        turn_detection: turns,
      },
    },
    include: null,
  };
}

/** The session as the older `transcription_session.created` and `.updated` show it. */
export function describeOlderSession(
  id: string,
  { format, model, language, prompt, turns }: SessionConfig,
): object {
  const [name] = Object.entries(OLDER).find(([, type]) => type === format) as [string, string];
  return {
    id,
    object: 'realtime.transcription_session',
    input_audio_format: name,
    input_audio_transcription: { model, language, prompt },
    turn_detection: turns,
  };
}

/** What the bytes of a session are. */
export function inputOf({ format }: SessionConfig): InputOptions {
  const sampleRate = format === 'audio/pcm' ? PCM_RATE : G711_RATE;
  return { format: encodingOf(format), sampleRate, channels: 1 };
}

/** When an utterance of the session is over. */
export function utterancesOf({ turns }: SessionConfig): UtteranceOptions | false {
  if (turns === null) return false;
  const maxGap = Math.max(LEAST_GAP, turns.silence_duration_ms / 1000);
  return { maxGap, maxGapAfterPunctuation: Math.min(maxGap, GAP_AFTER_PUNCTUATION) };
}

/** The phrases to listen for. */
export function boostOf({ prompt }: SessionConfig): BoostPhrase[] {
  return phrasesOfPrompt(prompt);
}

function withCommon(
  config: SessionConfig,
  transcription: unknown,
  holder: Message,
  at: string,
): SessionConfig {
  const { model, language, prompt } =
    transcription === undefined || transcription === null
      ? {}
      : asObject(transcription, `${at}.transcription`);
  return {
    ...config,
    model: text(model, 'model') ?? config.model,
    language: text(language, 'language') ?? config.language,
    prompt: text(prompt, 'prompt') ?? config.prompt,
    turns: holder.turn_detection === undefined ? config.turns : turnsOf(holder.turn_detection),
  };
}

function turnsOf(value: unknown): TurnDetection | null {
  if (value === null) return null;
  const {
    type = 'server_vad',
    silence_duration_ms,
    threshold,
    prefix_padding_ms,
  } = asObject(value, 'turn_detection');
  if (type !== 'server_vad' && type !== 'semantic_vad')
    throw protocolError('Expected server_vad, semantic_vad or null for turn_detection');
  return {
    type,
    silence_duration_ms: number(
      silence_duration_ms,
      'silence_duration_ms',
      SERVER_VAD.silence_duration_ms,
      10_000,
    ),
    threshold: number(threshold, 'threshold', SERVER_VAD.threshold, 1),
    prefix_padding_ms: number(prefix_padding_ms, 'prefix_padding_ms', SERVER_VAD.prefix_padding_ms, 10_000),
  };
}

function formatOf({ type, rate }: Message): string {
  if (type === 'audio/pcm' && rate !== undefined && rate !== PCM_RATE)
    throw protocolError(`Expected ${PCM_RATE} for the rate of audio/pcm`);
  if (typeof type === 'string' && Object.values(OLDER).includes(type)) return type;
  throw protocolError('Expected audio/pcm, audio/pcmu or audio/pcma for the type of format');
}

function section(holder: Message, name: string, what: string): Message {
  const value = holder[name];
  return value === undefined ? {} : asObject(value, what);
}

function text(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.length <= 10_000) return value;
  throw protocolError(`Expected text of at most 10,000 characters for ${what}`);
}

function number(value: unknown, what: string, preset: number, max: number): number {
  if (value === undefined || value === null) return preset;
  if (typeof value === 'number' && value >= 0 && value <= max) return value;
  throw protocolError(`Expected a number from 0 to ${max} for ${what}`);
}
