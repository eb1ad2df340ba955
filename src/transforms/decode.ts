/**
 * The first stage: bytes of a sound file or of raw PCM in, `AudioChunk`s out. Recognises the format; the formats themselves
 * are in `formats/`. It neither resamples nor mixes.
 */

import { notSupported } from '../audio/ffmpeg/ffmpeg-child.js';
import { ExcerptCutter } from '../audio/formats/excerpt.js';
import { FfmpegDecoder } from '../audio/formats/ffmpeg.js';
import { FlacDecoder } from '../audio/formats/flac.js';
import { broken, type DecodedChunk, type FormatDecoder } from '../audio/formats/format.js';
import { MpegDecoder } from '../audio/formats/mpeg.js';
import { OggOpusDecoder } from '../audio/formats/ogg.js';
import { PcmDecoder, type PcmEncoding, pcmEncodings } from '../audio/formats/pcm.js';
import {
  describe,
  looksForeign,
  NOISE_BYTES,
  type Recognised,
  Recogniser,
} from '../audio/formats/recognise.js';
import { WavDecoder } from '../audio/formats/wav.js';
import { WebmOpusDecoder } from '../audio/formats/webm.js';
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import { expected, finite, integer, known, oneOf, optionalSignal } from '../options.js';
import type { FlushMark } from './flush-mark.js';
import { Stage, type StageOptions } from './stage.js';

export type { PcmEncoding } from '../audio/formats/pcm.js';

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
   * Bytes as evenly spread as those of a compressed file are no PCM: ffmpeg is asked what they are. Default none: ffmpeg is asked about
   * all bytes that bear no mark.
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
  /**
   * Bytes that may be stored in a temporary file, for a container that ffmpeg has to read with seeking (an MP4 with its index at the
   * end). The file is removed in the end, whatever that is. 0 refuses such input. Default 4 GiB.
   */
  maxSpool?: number | undefined;
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
  'maxSpool',
  'signal',
] as const;

/** The options of `decode` among others, the signal left out. */
export function pickDecode(options: DecodeOptions): DecodeOptions {
  const given = decodeOptionKeys.filter((key) => key !== 'signal' && options[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, options[key]]));
}

const formats = ['auto', 'wav', 'flac', ...pcmEncodings] as const;

/**
 * Bytes to audio: WAV (PCM of 8 to 32 bits, floats of 32 and 64, A-law, µ-law, any channels; RF64 and BW64), FLAC, MP3 (and the other
 * layers of MPEG audio), Ogg/Opus and WebM/Opus, raw PCM; and through an `ffmpeg` process, if there is one (FFMPEG_PATH, PATH, the packages
 * `ffmpeg-static` and `@ffmpeg-installer/ffmpeg`): AAC, MP4 and M4A, WebM, Matroska and Ogg of other codecs, AIFF, CAF, MPEG-TS and
 * whatever else it reads (their first audio stream, or `stream`).
 *
 * Any split of the bytes gives the same samples. Chunks are 10 to 100 ms long; the last one, and those around a damaged place, may be
 * shorter. Times are the container's: silence stands where it has no sound.
 *
 * Damage in the middle of a file does not end it: silence stands in the place of what is lost, the event `gap` (`{ start, end }`, in
 * seconds) tells it, and the stage fails once everything downstream has finished. So it does for a file cut short or one that is no audio,
 * after all that could be read, so that what was heard gets written.
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
  readonly #recogniser = new Recogniser();
  /** Bytes that nothing knows, until there are enough of them to tell PCM from a compressed file. */
  #unknown: Recognised | undefined;
  #seconds = 0;
  /** Where the silence began that stands for lost audio. */
  #gapStart: number | undefined;
  /** Settles when nothing uses the decoder. */
  #turn: Promise<void> = Promise.resolve();
  #broken = false;
  readonly #options: DecodeOptions;
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
    integer('stream', options.stream ?? 0, 0);
    finite('maxSpool', options.maxSpool ?? 0, 0);
    super({ writableObjectMode: false, signal: optionalSignal('signal', options.signal) });
    this.#options = options;
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

  /** Seconds of audio that there will be in all, as far as the file has told by now. */
  get duration(): number | undefined {
    const whole = this.#decoder?.duration;
    if (whole === undefined) return undefined;
    const { start = 0, duration = Number.POSITIVE_INFINITY } = this.#options;
    return Math.max(0, Math.min(duration, whole - start));
  }

  protected override async process(bytes: Uint8Array): Promise<void> {
    await this.#late(async () => {
      if (this.#excerpt?.over || bytes.length === 0) return;
      if (this.#decoder) return this.#hand(this.#decoder.push(bytes));
      if (this.#unknown) {
        this.#unknown.begun = Buffer.concat([this.#unknown.begun, bytes]);
        return this.#tell(false);
      }
      await this.#begin(this.#recogniser.push(bytes));
    });
  }

  /**
   * Gives out all that can be decoded of the bytes so far, then the mark. Bytes that come meanwhile wait. A mark cannot be written, since
   * this stage takes bytes.
   * @internal
   */
  async flush(mark: FlushMark): Promise<void> {
    const intact = await this.#late(async () => {
      // What is not recognised yet is less than a tenth of a second, or the head of a container.
      if (!this.#excerpt?.over) await this.#hand(this.#decoder?.flush());
    });
    if (intact) this.mark(mark);
    else mark.passed();
  }

  protected override async finish(): Promise<void> {
    await this.#late(async () => {
      if (this.#excerpt?.over) return;
      if (this.#unknown) await this.#tell(true);
      else if (!this.#decoder) {
        await this.#begin(this.#recogniser.end());
        if (this.#unknown) await this.#tell(true);
      }
      await this.#hand(this.#decoder?.end());
      this.#endGap();
    });
  }

  protected override async release(): Promise<void> {
    await this.#decoder?.close();
  }

  async #begin(recognised: Recognised | undefined): Promise<void> {
    if (!recognised) return;
    const { kind, begun } = recognised;
    if (this.#unmarked && (kind === 'unknown' || (kind === 'text' && !isAscii(begun)))) {
      this.#unknown = recognised;
      return this.#tell(false);
    }
    if (kind === 'text')
      throw notSupported(`${describe(begun)}. Sound files are recognised by their content`);
    this.#decoder = this.#decoderOf(recognised);
    await this.#hand(this.#decoder.push(begun));
  }

  /** PCM, or something that ffmpeg may know. */
  async #tell(ended: boolean): Promise<void> {
    const unknown = this.#unknown as Recognised;
    if (!ended && unknown.begun.length < NOISE_BYTES) return;
    this.#unknown = undefined;
    this.#decoder = looksForeign(unknown.begun.subarray(0, NOISE_BYTES))
      ? this.#decoderOf(unknown)
      : (this.#unmarked?.() as FormatDecoder);
    await this.#hand(this.#decoder.push(unknown.begun));
  }

  #decoderOf({ kind, begun }: Recognised): FormatDecoder {
    const { stream = 0, maxSpool } = this.#options;
    const several = kind === 'ogg-opus' || kind === 'webm-opus';
    if (kind === 'ffmpeg' || kind === 'unknown' || (several && stream > 0)) {
      return new FfmpegDecoder({
        stream,
        maxSpool,
        unknown: kind === 'unknown' ? describe(begun) : undefined,
      });
    }
    if (stream > 0) {
      throw broken(
        `Expected a file with several audio streams for stream ${stream} but received one of a single stream.`,
      );
    }
    const decoders = {
      wav: WavDecoder,
      flac: FlacDecoder,
      mpeg: MpegDecoder,
      'ogg-opus': OggOpusDecoder,
      'webm-opus': WebmOpusDecoder,
    };
    return new decoders[kind as keyof typeof decoders]();
  }

  async #hand(chunks: AsyncIterable<DecodedChunk> | undefined): Promise<void> {
    for await (const whole of chunks ?? []) {
      const { lost, ...audio } = whole;
      const chunk = this.#excerpt ? this.#excerpt.take(audio) : audio;
      if (!chunk) {
        if (this.#excerpt?.over) return this.#decoder?.close();
        continue;
      }
      if (lost) this.#gapStart ??= this.#seconds;
      else this.#endGap();
      this.#seconds += (chunk.channels[0]?.length ?? 0) / chunk.sampleRate;
      await this.emitOne(chunk);
    }
  }

  #endGap(): void {
    const start = this.#gapStart;
    this.#gapStart = undefined;
    if (start !== undefined) this.emit('gap', { start, end: this.#seconds });
  }

  /**
   * Work in its turn: a flush and the bytes behind it share one decoder. Broken audio is the input's failure; anything else is ours, and
   * fails at once. Resolves with false for broken audio.
   */
  async #late(work: () => Promise<void>): Promise<boolean> {
    const before = this.#turn;
    let over = () => {};
    this.#turn = new Promise((resolve) => {
      over = resolve;
    });
    await before;
    try {
      if (this.#broken) return false;
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof AudioError)) throw error;
      this.#broken = true;
      this.#endGap();
      this.failLate(error);
      return false;
    } finally {
      over();
    }
  }
}

/** Loud PCM often looks like text of another script; plain letters it never has so many of. */
function isAscii(begun: Uint8Array): boolean {
  return begun.subarray(0, 12).every((byte) => byte < 0x7f);
}
