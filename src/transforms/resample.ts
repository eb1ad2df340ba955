/**
 * The second stage: audio of any rate and any channels in, mono audio at one rate out, through libsamplerate (WebAssembly).
 * What it adds: mixing, an output that does not depend on how the input was cut, and an end without a lost sample.
 */
import libsamplerate from '@alexanderolsen/libsamplerate-js';
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import { integer, known, oneOf, optionalSignal } from '../options.js';
import { cut, LONGEST } from './formats/format.js';
import { mixToMono } from './mix.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link resample}. */
export interface ResampleOptions extends StageOptions {
  /**
   * Length of libsamplerate's sinc filter. From 48 to 16 kHz, measured on this package's machine: `'best'` rejects aliases by more
   * than 140 dB and keeps all up to 7.5 kHz at 90 ms of compute per second of audio, `'medium'` by more than 115 dB, up to
   * 7 kHz, at 26 ms, `'fast'` less, at 11 ms. Equal rates cost nothing. Default `'best'`.
   */
  quality?: 'best' | 'medium' | 'fast' | undefined;
}

const converters = { best: 0, medium: 1, fast: 2 } as const;
/** What libsamplerate can do, up and down. */
const MAX_RATIO = 256;
/** Input is fed in blocks of 1/50 s counted from the start, since rounding inside the library depends on the blocks. */
const BLOCKS_PER_SECOND = 50;
/** Silence fed at the end until all is out; the longest filter covers far less. */
const MAX_FLUSH_BLOCKS = 500;

type Converter = Awaited<ReturnType<typeof libsamplerate.create>>;

/**
 * Any audio to mono at `rate` Hz. `n` samples at rate `r` become `round(n · rate / r)`, without delay; any split of the
 * input gives the same samples; at equal rates mono samples pass unchanged. Stereo becomes the mean, 5.1 and 7.1 are
 * folded down without the low-frequency channel. A change of rate or channels in the middle is followed.
 *
 * @throws {ArgumentError} (at once) for options that make no sense.
 * Fails with `AudioError` `ERR_PARAKEET_INVALID_AUDIO` for a rate more than 256 times off.
 */
export function resample(rate: number, options: ResampleOptions = {}): Resample {
  return new Resample(rate, options);
}

/** The stage that {@link resample} makes. */
export class Resample extends Stage<AudioChunk, AudioChunk> {
  readonly #rate: number;
  readonly #quality: keyof typeof converters;
  #section: Section | undefined;

  constructor(rate: number, options: ResampleOptions = {}) {
    known('resample', options, ['quality', 'signal']);
    super({ signal: optionalSignal('signal', options.signal) });
    this.#rate = integer('rate', rate, 1, 1_000_000);
    this.#quality = oneOf('quality', options.quality ?? 'best', ['best', 'medium', 'fast']);
  }

  protected override async process(chunk: AudioChunk): Promise<void> {
    if (this.#section && this.#section.inputRate !== chunk.sampleRate) await this.finish();
    const mono = mixToMono(chunk.channels);
    if (mono.length === 0) return;
    if (chunk.sampleRate === this.#rate) return this.#emit(mono);
    this.#section ??= await this.#open(chunk.sampleRate);
    for (const samples of this.#section.push(mono)) await this.#emit(samples);
  }

  protected override async finish(): Promise<void> {
    const section = this.#section;
    if (!section) return;
    for (const samples of section.end()) await this.#emit(samples);
    section.close();
    this.#section = undefined;
  }

  protected override async release(): Promise<void> {
    this.#section?.close();
    this.#section = undefined;
  }

  async #emit(samples: Float32Array): Promise<void> {
    if (samples.length * LONGEST <= this.#rate)
      return this.emitOne({ channels: [samples], sampleRate: this.#rate });
    for (const chunk of cut([samples], this.#rate)) await this.emitOne(chunk);
  }

  async #open(inputRate: number): Promise<Section> {
    const ratio = this.#rate / inputRate;
    if (!(ratio >= 1 / MAX_RATIO && ratio <= MAX_RATIO)) {
      const [low, high] = [Math.ceil(this.#rate / MAX_RATIO), this.#rate * MAX_RATIO];
      throw new AudioError(
        'ERR_PARAKEET_INVALID_AUDIO',
        `Expected a sample rate from ${low} to ${high} Hz but received ${inputRate}. Check the sampleRate option or the file's header.`,
      );
    }
    const converter = await libsamplerate.create(1, inputRate, this.#rate, {
      converterType: converters[this.#quality],
    });
    return new Section(converter, inputRate, this.#rate);
  }
}

/** A run of input at one rate. */
class Section {
  readonly #block: Float32Array;
  #filled = 0;
  #taken = 0;
  #given = 0;

  constructor(
    private readonly converter: Converter,
    readonly inputRate: number,
    private readonly outputRate: number,
  ) {
    this.#block = new Float32Array(Math.max(1, Math.floor(inputRate / BLOCKS_PER_SECOND)));
  }

  *push(samples: Float32Array): Generator<Float32Array> {
    this.#taken += samples.length;
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#block.length) yield* this.#convert(Number.POSITIVE_INFINITY);
    }
  }

  /** The library looks ahead by half its filter: silence pushes the rest out, up to the last true sample. */
  *end(): Generator<Float32Array> {
    const total = Math.round((this.#taken * this.outputRate) / this.inputRate);
    for (let i = 0; this.#given < total && i < MAX_FLUSH_BLOCKS; i++) yield* this.#convert(total);
  }

  close(): void {
    if (!this.converter.isDestroyed) this.converter.destroy();
  }

  /** Converts the block, padded with silence, and gives no more than `limit` samples in all. */
  *#convert(limit: number): Generator<Float32Array> {
    this.#block.fill(0, this.#filled);
    this.#filled = 0;
    const samples = this.converter.full(this.#block).slice(0, limit - this.#given);
    this.#given += samples.length;
    if (samples.length > 0) yield samples;
  }
}
