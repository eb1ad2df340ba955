/**
 * The second stage: audio of any rate and any number of channels in, mono audio at one rate out. It mixes, follows changes of rate, and
 * cuts the work into short pieces; the filters are in `audio/resampling/`.
 */

import { cut, LONGEST } from '../audio/formats/format.js';
import { Mixer } from '../audio/mix.js';
import { Resampler } from '../audio/resampling/resampler.js';
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import { integer, known, optionalSignal } from '../options.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link resample}. */
export type ResampleOptions = StageOptions;

/** Largest ratio between the rates, up and down. */
const MAX_RATIO = 256;

/**
 * Audio of any rate to mono at `rate` Hz, 1 to 1,000,000. `n` samples at rate `r` become `round(n · rate / r)`, without delay. The samples
 * do not depend on how the input is split; at equal rates mono samples pass unchanged.
 *
 * Frequencies below 0.9 of the lower rate's half pass within 0.1 dB; aliases and images are at least 90 dB down.
 *
 * Stereo becomes the mean; 3.0, 5.0, 5.1, 6.1 and 7.1 (in the order of WAV and FLAC) favour the centre and leave out the low-frequency
 * channel. Where channels cancel (one of a pair is inverted), the strongest is taken instead. Changes of rate or channels within the input
 * are followed.
 *
 * @throws {@link ArgumentError} (synchronously) for invalid options.
 * The stage fails with an `AudioError` `ERR_PARAKEET_INVALID_AUDIO` for a rate that differs by a factor of more than 256.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { wavWriter } from 'parakeet-stream';
 * import { decode, resample } from 'parakeet-stream/stages';
 *
 * await pipeline(createReadStream('talk.flac'), decode(), resample(8000), wavWriter('talk.wav'));
 * ```
 */
export function resample(rate: number, options: ResampleOptions = {}): Resample {
  return new Resample(rate, options);
}

/** The stage that {@link resample} makes. */
export class Resample extends Stage<AudioChunk, AudioChunk> {
  readonly #rate: number;
  /** The current run of input at a rate other than ours. */
  #run: Resampler | undefined;
  #mixer: Mixer | undefined;
  /** The rate that the mixer was made for. */
  #mixerRate = 0;

  constructor(rate: number, options: ResampleOptions = {}) {
    known('resample', options, ['signal']);
    super({ signal: optionalSignal('signal', options.signal) });
    this.#rate = integer('rate', rate, 1, 1_000_000);
  }

  protected override async process(chunk: AudioChunk): Promise<void> {
    if (this.#run && this.#run.inputRate !== chunk.sampleRate) await this.finish();
    if ((chunk.channels[0]?.length ?? 0) === 0) return;
    // A chunk is short, but one from a user's own stage may hold an hour.
    for (const { channels } of cut(chunk.channels, chunk.sampleRate)) {
      const mono = this.#mixerFor(channels.length, chunk.sampleRate).mix(channels);
      if (chunk.sampleRate === this.#rate) await this.#emit(mono);
      else {
        this.#run ??= this.#begin(chunk.sampleRate);
        await this.#emit(this.#run.push(mono));
      }
    }
  }

  protected override async finish(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (run) await this.#emit(run.end());
  }

  /** Emits the filter's tail, which is held back for the samples to come. */
  protected override flushHeld(): Promise<void> {
    return this.finish();
  }

  #mixerFor(channels: number, rate: number): Mixer {
    if (this.#mixer?.channels !== channels || this.#mixerRate !== rate) {
      this.#mixer = new Mixer(channels, rate);
      this.#mixerRate = rate;
    }
    return this.#mixer;
  }

  async #emit(samples: Float32Array): Promise<void> {
    if (samples.length === 0) return;
    if (samples.length * LONGEST <= this.#rate)
      return this.emitOne({ channels: [samples], sampleRate: this.#rate });
    for (const chunk of cut([samples], this.#rate)) await this.emitOne(chunk);
  }

  #begin(inputRate: number): Resampler {
    const ratio = this.#rate / inputRate;
    if (!(ratio >= 1 / MAX_RATIO && ratio <= MAX_RATIO)) {
      const [low, high] = [Math.ceil(this.#rate / MAX_RATIO), this.#rate * MAX_RATIO];
      throw new AudioError(
        'ERR_PARAKEET_INVALID_AUDIO',
        `Expected a sample rate from ${low} to ${high} Hz but received ${inputRate}. Check the sampleRate option or the file's header.`,
      );
    }
    return new Resampler(inputRate, this.#rate);
  }
}
