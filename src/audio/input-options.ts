/** What the bytes of an input are, and which part of it is transcribed: the options and their checks. */
import { expected, finite, integer, known, oneOf } from '../options.js';
import { DEFAULT_MAX_SPOOL } from './ffmpeg/spool.js';
import { type PcmEncoding, pcmEncodings } from './formats/pcm.js';

/** What the bytes of an input are. */
export type AudioFormat = 'auto' | 'wav' | 'flac' | PcmEncoding;

/** What the bytes of an input are, and which part of it is transcribed. */
export interface InputOptions {
  /**
   * `'auto'` recognises files by their first bytes. Raw PCM has no signature and must be named, as in ffmpeg: `'s16le'`, `'f32le'`, …
   * @defaultValue `'auto'`
   */
  format?: AudioFormat | undefined;
  /**
   * With `'auto'`: the PCM encoding of bytes that have no signature and are not text, for a pipe that may carry either. Needs `sampleRate`.
   * Bytes distributed as evenly as those of a compressed file are not taken as PCM: ffmpeg is asked what they are.
   * @defaultValue none: ffmpeg is asked about all bytes without a signature
   */
  unmarked?: PcmEncoding | undefined;
  /** Samples per second of raw PCM, 1 to 1,000,000. Required with a PCM format or `unmarked`, an error with any other format. */
  sampleRate?: number | undefined;
  /**
   * Interleaved channels of raw PCM, 1 to 256. An error with any other format.
   * @defaultValue 1
   */
  channels?: number | undefined;
  /**
   * The audio track of the file, counted from 0, if ffmpeg reads the format; the other formats have one track.
   * @defaultValue 0
   */
  track?: number | undefined;
  /**
   * Seconds of the audio to skip, at least 0; times count from there.
   * @defaultValue 0
   */
  start?: number | undefined;
  /**
   * Most seconds to transcribe, more than 0; later audio is read but not decoded.
   * @defaultValue to the end
   */
  duration?: number | undefined;
  /**
   * Most bytes that may be stored in a temporary file, for a container that needs seeking (an MP4 with its index at the end). The file is
   * always removed. 0 refuses such input.
   * @defaultValue 4 GiB
   */
  maxSpool?: number | undefined;
}

/** The names of {@link InputOptions}. */
const inputKeys = [
  'format',
  'unmarked',
  'sampleRate',
  'channels',
  'track',
  'start',
  'duration',
  'maxSpool',
] as const;

const formats = ['auto', 'wav', 'flac', ...pcmEncodings] as const;
/** Bounds of audio that is read or written. */
export const MOST_RATE = 1_000_000;
export const MOST_CHANNELS = 256;
const MOST_TRACKS = 1000;

/** {@link InputOptions} with their defaults. */
export interface SettledInput {
  format: AudioFormat;
  unmarked: PcmEncoding | undefined;
  /** Of raw PCM. */
  pcm: { encoding: PcmEncoding; sampleRate: number; channels: number } | undefined;
  track: number;
  start: number;
  duration: number;
  maxSpool: number;
}

/**
 * Checks the options and fills in their defaults.
 *
 * @param what Whose options they are, for messages.
 * @param at A prefix for the names in messages: `'input.'` for the group of that name.
 * @throws {@link ArgumentError}
 */
export function settleInput(what: string, options: InputOptions, at = ''): SettledInput {
  known(what, options, inputKeys);
  const format = oneOf(`${at}format`, options.format ?? 'auto', formats);
  const { unmarked } = options;
  if (unmarked !== undefined) {
    oneOf(`${at}unmarked`, unmarked, pcmEncodings);
    if (format !== 'auto') throw expected(`no value beside format '${format}'`, `${at}unmarked`, unmarked);
  }
  return {
    format,
    unmarked,
    pcm: settlePcm(options, format, at),
    track: integer(`${at}track`, options.track ?? 0, 0, MOST_TRACKS),
    start: finite(`${at}start`, options.start ?? 0, 0),
    duration:
      options.duration === undefined
        ? Number.POSITIVE_INFINITY
        : finite(`${at}duration`, options.duration, Number.MIN_VALUE),
    maxSpool: finite(`${at}maxSpool`, options.maxSpool ?? DEFAULT_MAX_SPOOL, 0),
  };
}

function settlePcm(options: InputOptions, format: AudioFormat, at: string): SettledInput['pcm'] {
  const encoding = options.unmarked ?? pcmEncodings.find((name) => name === format);
  const { sampleRate, channels } = options;
  if (encoding === undefined) {
    if (sampleRate === undefined && channels === undefined) return undefined;
    const option = sampleRate !== undefined ? 'sampleRate' : 'channels';
    throw expected(
      `no value beside format '${format}', which carries its own,`,
      `${at}${option}`,
      options[option],
      'Name a raw format, such as s16le.',
    );
  }
  if (sampleRate === undefined) {
    throw expected(
      `the samples per second of the '${encoding}' input`,
      `${at}sampleRate`,
      undefined,
      'Raw audio does not carry its rate.',
    );
  }
  return {
    encoding,
    sampleRate: integer(`${at}sampleRate`, sampleRate, 1, MOST_RATE),
    channels: integer(`${at}channels`, channels ?? 1, 1, MOST_CHANNELS),
  };
}
