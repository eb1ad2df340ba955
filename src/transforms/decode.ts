/**
 * The first stage: bytes of a sound file or of raw PCM in, `AudioChunk`s out. It recognises the format; the formats themselves are in
 * `audio/formats/`. It neither resamples nor mixes.
 */

import { notSupported } from '../audio/ffmpeg/ffmpeg-child.js';
import { ExcerptCutter } from '../audio/formats/excerpt.js';
import { FfmpegDecoder } from '../audio/formats/ffmpeg.js';
import { FlacDecoder } from '../audio/formats/flac.js';
import { broken, type DecodedChunk, type FormatDecoder } from '../audio/formats/format.js';
import { MpegDecoder } from '../audio/formats/mpeg.js';
import { OggOpusDecoder } from '../audio/formats/ogg.js';
import { PcmDecoder } from '../audio/formats/pcm.js';
import {
  describe,
  looksForeign,
  NOISE_BYTES,
  type Recognised,
  Recogniser,
} from '../audio/formats/recognise.js';
import { WavDecoder } from '../audio/formats/wav.js';
import { WebmOpusDecoder } from '../audio/formats/webm.js';
import { type InputOptions, type SettledInput, settleInput } from '../audio/input-options.js';
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import { optionalSignal } from '../options.js';
import type { FlushMark } from './flush-mark.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link decode}. */
export interface DecodeOptions extends InputOptions, StageOptions {}

/**
 * Bytes to audio: WAV (PCM of 8 to 32 bits, floats of 32 and 64, A-law, µ-law, any channels; RF64 and BW64), FLAC, MP3 (and the other
 * layers of MPEG audio), Ogg/Opus and WebM/Opus, raw PCM. Other formats go through an `ffmpeg` process, if there is one (FFMPEG_PATH, PATH,
 * the packages `ffmpeg-static` and `@ffmpeg-installer/ffmpeg`): AAC, MP4 and M4A, WebM, Matroska and Ogg with other codecs, AIFF, CAF,
 * MPEG-TS and whatever else it reads (their first audio track, or `track`).
 *
 * The samples do not depend on how the bytes are split. Chunks are 10 to 100 ms long; the last one, and those around a damaged place, may
 * be shorter. Times are the container's: places without sound are filled with silence.
 *
 * Damage in the middle of a file does not end it: silence replaces what is lost, the event `gap` (`{ start, end }`, in seconds) reports it,
 * and the stage fails once everything downstream has finished. The same holds for a file that is cut short or is no audio: everything that
 * can be read is emitted first, so that it gets transcribed and written.
 *
 * @throws {@link ArgumentError} (synchronously) for invalid options.
 * The stage fails with an `AudioError`: `ERR_PARAKEET_UNSUPPORTED_FORMAT`, `ERR_PARAKEET_INVALID_AUDIO`; and with
 * `ERR_PARAKEET_MISSING_DEPENDENCY` for a file that needs ffmpeg when there is none.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { decode } from 'parakeet-stream/stages';
 *
 * await pipeline(createReadStream('talk.flac'), decode({ duration: 60 }), async (chunks) => {
 *   for await (const { channels, sampleRate } of chunks) console.log(channels.length, sampleRate);
 * });
 * ```
 */
export function decode(options: DecodeOptions = {}): Decode {
  return new Decode(options);
}

/** The stage that {@link decode} makes. */
export class Decode extends Stage<Uint8Array, AudioChunk> {
  #decoder: FormatDecoder | undefined;
  /** Makes the decoder of bytes without a signature. */
  #unmarked: (() => FormatDecoder) | undefined;
  readonly #recogniser = new Recogniser();
  /** Bytes of an unknown format, until there are enough of them to tell PCM from a compressed file. */
  #unknown: Recognised | undefined;
  #seconds = 0;
  /** Where the silence began that replaces lost audio. */
  #gapStart: number | undefined;
  /** Settles when nothing uses the decoder. */
  #turn: Promise<void> = Promise.resolve();
  #broken = false;
  readonly #input: SettledInput;
  #excerpt: ExcerptCutter | undefined;

  constructor(options: DecodeOptions = {}) {
    const { signal, ...others } = options;
    const input = settleInput('decode', others);
    super({ writableObjectMode: false, signal: optionalSignal('signal', signal) });
    this.#input = input;
    const { format, pcm, start, duration } = input;
    if (start > 0 || duration < Number.POSITIVE_INFINITY) this.#excerpt = new ExcerptCutter(start, duration);
    if (pcm) {
      const { encoding, sampleRate, channels } = pcm;
      if (input.unmarked) this.#unmarked = () => new PcmDecoder(encoding, sampleRate, channels);
      else this.#decoder = new PcmDecoder(encoding, sampleRate, channels);
    } else if (format === 'wav') this.#decoder = new WavDecoder();
    else if (format === 'flac') this.#decoder = new FlacDecoder();
  }

  /** Seconds of audio emitted so far. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Seconds of audio in all, as far as the file has declared it by now. */
  get duration(): number | undefined {
    const whole = this.#decoder?.duration;
    if (whole === undefined) return undefined;
    const { start, duration } = this.#input;
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
   * Emits everything that can be decoded from the bytes so far, then the mark. Bytes that arrive meanwhile wait. The mark cannot be written
   * to the stage, which takes bytes.
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
    const { track, maxSpool } = this.#input;
    const several = kind === 'ogg-opus' || kind === 'webm-opus';
    if (kind === 'ffmpeg' || kind === 'unknown' || (several && track > 0)) {
      return new FfmpegDecoder({
        stream: track,
        maxSpool,
        unknown: kind === 'unknown' ? describe(begun) : undefined,
      });
    }
    if (track > 0) {
      throw broken(
        `Expected a file with several audio tracks for track ${track} but received one with a single track.`,
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
   * Serialises work: a flush and the bytes behind it share one decoder. Broken audio is a late failure of the input; any other error is
   * ours and fails at once. Resolves with false for broken audio.
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

/** Loud PCM often looks like text in another script, but never contains this many plain letters. */
function isAscii(begun: Uint8Array): boolean {
  return begun.subarray(0, 12).every((byte) => byte < 0x7f);
}
