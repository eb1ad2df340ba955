/**
 * The first stage: bytes of a sound file or of raw PCM in, `AudioChunk`s out. Recognises the format; the formats themselves
 * are in `formats/`. It neither resamples nor mixes.
 */
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import { expected, finite, integer, known, oneOf, optionalSignal } from '../options.js';
import { containerDecoder } from './formats/containers.js';
import { ExcerptCutter } from './formats/excerpt.js';
import { FfmpegDecoder } from './formats/ffmpeg.js';
import { isForFfmpeg } from './formats/ffmpeg-marks.js';
import { FlacDecoder } from './formats/flac.js';
import type { FormatDecoder } from './formats/format.js';
import { PcmDecoder, type PcmEncoding, pcmEncodings } from './formats/pcm.js';
import { WavDecoder } from './formats/wav.js';
import { Stage, type StageOptions } from './stage.js';

export type { PcmEncoding } from './formats/pcm.js';

/** What `decode` can be told to expect. */
export type AudioFormat = 'auto' | 'wav' | 'flac' | PcmEncoding;

/** Options of {@link decode}. */
export interface DecodeOptions extends StageOptions {
  /**
   * `'auto'` recognises files by their first bytes. Raw PCM has no mark and must be named, as in ffmpeg: `'s16le'`,
   * `'f32le'`, … Default `'auto'`.
   */
  format?: AudioFormat | undefined;
  /**
   * With `'auto'`: the PCM encoding of bytes that bear no mark and are no text, for a pipe that may carry either. Needs `sampleRate`.
   * Default none: such bytes are an error.
   */
  unmarked?: PcmEncoding | undefined;
  /** Samples per second of raw PCM, 1 to 1,000,000. Needed with a PCM format or `unmarked`, an error with any other. */
  sampleRate?: number | undefined;
  /** Seconds of the audio to skip, at least 0; times count from there. Default 0. */
  start?: number | undefined;
  /** Seconds to hear at most, more than 0; what comes later is read but not decoded. Default: to the end. */
  duration?: number | undefined;
  /** Which of a file's audio streams, counted from 0, where ffmpeg reads it; the other formats have one. Default 0. */
  stream?: number | undefined;
  /** Interleaved channels of raw PCM, 1 to 256. Default 1. An error with any other format. */
  channels?: number | undefined;
}

/** The names of {@link DecodeOptions}, for whoever passes them on. */
export const decodeOptionKeys = [
  'format',
  'unmarked',
  'sampleRate',
  'channels',
  'start',
  'duration',
  'stream',
  'signal',
] as const;

/** The options of `decode` among others, the signal left out. */
export function pickDecode(options: DecodeOptions): DecodeOptions {
  const given = decodeOptionKeys.filter((key) => key !== 'signal' && options[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, options[key]]));
}

const formats = ['auto', 'wav', 'flac', ...pcmEncodings] as const;
/** The longest mark that tells formats apart: `RIFF`, a length, `WAVE`. */
const MARK_BYTES = 12;

/**
 * Bytes to audio: WAV (PCM of 8 to 32 bits, floats of 32 and 64, A-law, µ-law, any channels; RF64 and BW64), FLAC, Ogg/Opus and
 * WebM/Opus, raw PCM; and through an `ffmpeg` process, if there is one on PATH or in FFMPEG_PATH: MP3, AAC, MP4 and M4A, WebM, Matroska
 * and Ogg of other codecs, AIFF, CAF, MPEG-TS (their first audio stream).
 *
 * Any split of the bytes gives the same samples. Chunks are 10 to 100 ms long, the last one may be shorter. Broken audio
 * (a file cut short, NaN samples, a text file) ends the output after what could be read, and fails the stage once
 * everything downstream has finished, so that what was heard gets written.
 *
 * @throws {@link ArgumentError} (at once) for options that make no sense.
 * Fails with `AudioError`: `ERR_PARAKEET_UNSUPPORTED_FORMAT`, `ERR_PARAKEET_INVALID_AUDIO`; and with `ERR_PARAKEET_MISSING_DEPENDENCY`
 * for a file that needs ffmpeg where there is none.
 */
export function decode(options: DecodeOptions = {}): Decode {
  return new Decode(options);
}

/** The stage that {@link decode} makes. */
export class Decode extends Stage<Uint8Array, AudioChunk> {
  #decoder: FormatDecoder | undefined;
  /** Of bytes that bear no mark. */
  #unmarked: (() => FormatDecoder) | undefined;
  readonly #mark: number[] = [];
  #seconds = 0;
  readonly #stream: number;
  #excerpt: ExcerptCutter | undefined;

  constructor(options: DecodeOptions = {}) {
    known('decode', options, decodeOptionKeys);
    const format = oneOf('format', options.format ?? 'auto', formats);
    const { unmarked } = options;
    if (unmarked !== undefined) {
      oneOf('unmarked', unmarked, pcmEncodings);
      if (format !== 'auto') throw expected(`no value beside format '${format}'`, 'unmarked', unmarked);
    }
    const encoding = unmarked ?? pcmEncodings.find((name) => name === format);
    const isPcm = encoding !== undefined;
    if (isPcm && options.sampleRate === undefined) {
      throw expected(
        `the samples per second of the '${encoding}' input`,
        'sampleRate',
        undefined,
        'Raw audio does not carry its rate.',
      );
    }
    if (!isPcm && (options.sampleRate !== undefined || options.channels !== undefined)) {
      const option = options.sampleRate !== undefined ? 'sampleRate' : 'channels';
      throw expected(
        `no value beside format '${format}', which carries its own,`,
        option,
        options[option],
        'Name a raw format, such as s16le.',
      );
    }
    const start = finite('start', options.start ?? 0, 0);
    const { duration } = options;
    if (duration !== undefined) finite('duration', duration, Number.MIN_VALUE);
    const stream = integer('stream', options.stream ?? 0, 0);
    super({ writableObjectMode: false, signal: optionalSignal('signal', options.signal) });
    this.#stream = stream;
    if (start > 0 || duration !== undefined) {
      this.#excerpt = new ExcerptCutter(start, duration ?? Number.POSITIVE_INFINITY);
    }
    if (isPcm) {
      const sampleRate = integer('sampleRate', options.sampleRate, 1, 1_000_000);
      const channels = integer('channels', options.channels ?? 1, 1, 256);
      if (unmarked) this.#unmarked = () => new PcmDecoder(encoding, sampleRate, channels);
      else this.#decoder = new PcmDecoder(encoding, sampleRate, channels);
    } else if (format === 'wav') this.#decoder = new WavDecoder();
    else if (format === 'flac') this.#decoder = new FlacDecoder();
  }

  /** Seconds of audio that were emitted so far. */
  get seconds(): number {
    return this.#seconds;
  }

  protected override async process(bytes: Uint8Array): Promise<void> {
    await this.#late(async () => {
      if (this.#excerpt?.over) return;
      let rest = bytes;
      if (!this.#decoder) {
        const taken = Math.min(MARK_BYTES - this.#mark.length, bytes.length);
        this.#mark.push(...bytes.subarray(0, taken));
        rest = bytes.subarray(taken);
        if (this.#mark.length < MARK_BYTES) return;
        await this.#recognise();
      }
      await this.#hand(this.#decoder?.push(rest));
    });
  }

  protected override async finish(): Promise<void> {
    await this.#late(async () => {
      if (this.#excerpt?.over || (!this.#decoder && this.#mark.length === 0)) return;
      if (!this.#decoder) await this.#recognise();
      await this.#hand(this.#decoder?.end());
    });
  }

  protected override async release(): Promise<void> {
    this.#decoder?.close();
  }

  async #recognise(): Promise<void> {
    const mark = Uint8Array.from(this.#mark);
    this.#decoder = recognise(mark, this.#unmarked, this.#stream);
    await this.#hand(this.#decoder.push(mark));
  }

  async #hand(chunks: AsyncIterable<AudioChunk> | undefined): Promise<void> {
    for await (const whole of chunks ?? []) {
      const chunk = this.#excerpt ? this.#excerpt.take(whole) : whole;
      if (!chunk) {
        if (this.#excerpt?.over) return this.#decoder?.close();
        continue;
      }
      this.#seconds += (chunk.channels[0]?.length ?? 0) / chunk.sampleRate;
      await this.emitOne(chunk);
    }
  }

  /** Broken audio is the input's failure; anything else is ours, and fails at once. */
  async #late(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof AudioError)) throw error;
      this.failLate(error);
    }
  }
}

function recognise(
  mark: Uint8Array,
  unmarked: (() => FormatDecoder) | undefined,
  stream: number,
): FormatDecoder {
  const text = Buffer.from(mark).toString('latin1');
  const begins = (start: string, at = 0) => text.startsWith(start, at);
  if (isForFfmpeg(mark)) {
    return (stream === 0 ? containerDecoder(mark) : undefined) ?? new FfmpegDecoder(stream);
  }
  if (stream > 0) {
    throw new AudioError(
      'ERR_PARAKEET_INVALID_AUDIO',
      `Expected a file with several audio streams for stream ${stream} but received one of a single stream.`,
    );
  }
  if (['RIFF', 'RIFX', 'RF64', 'BW64'].some((id) => begins(id)) && begins('WAVE', 8)) return new WavDecoder();
  if (begins('fLaC')) return new FlacDecoder();
  // Loud PCM often has no byte below a space, as other scripts than Latin have; twelve bytes of plain ASCII it has never.
  if (unmarked && !begins('RIFF') && !(isText(mark) && mark.every((byte) => byte < 0x7f))) return unmarked();
  throw new AudioError(
    'ERR_PARAKEET_UNSUPPORTED_FORMAT',
    `Expected a sound file, or a format option that names raw PCM, but received ${seen(mark, begins)}. ` +
      'If ffmpeg knows it, convert it first, for example with: ffmpeg -i input -f wav -',
  );
}

/** A name for what is not supported. */
function seen(mark: Uint8Array, begins: (start: string, at?: number) => boolean): string {
  if (begins('RIFF'))
    return `a RIFF file that is no WAV (${JSON.stringify(Buffer.from(mark.subarray(8)).toString('latin1'))})`;
  if (isText(mark))
    return `what looks like text (${JSON.stringify(Buffer.from(mark).toString('utf8').replaceAll('\ufffd', ''))})`;
  return `unknown bytes (${Buffer.from(mark).toString('hex').replace(/../g, '$& ').trim()})`;
}

function isText(mark: Uint8Array): boolean {
  return mark.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
}
