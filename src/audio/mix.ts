/**
 * Channels to one. Rates are converted by `resample.ts`.
 */

/** −3 dB: what a centre or surround channel contributes to each side of a stereo fold-down (ITU-R BS.775). */
const SIDE = Math.SQRT1_2;
/** The centre contributes to both sides. */
const CENTRE = 2 * SIDE;

/**
 * Weights by the number of channels, in the order that WAV and FLAC share: front left and right, centre, low frequency (only
 * from six channels on), surrounds. Speech sits in the centre; the low-frequency channel carries none.
 */
const layouts: Record<number, readonly number[]> = {
  3: [1, 1, CENTRE],
  4: [1, 1, SIDE, SIDE],
  5: [1, 1, CENTRE, SIDE, SIDE],
  6: [1, 1, CENTRE, 0, SIDE, SIDE],
  7: [1, 1, CENTRE, 0, SIDE, SIDE, SIDE],
  8: [1, 1, CENTRE, 0, SIDE, SIDE, SIDE, SIDE],
};

/** Normalised to a sum of one, so that nothing clips. Channels without a usual order count alike. */
function weightsFor(channels: number): number[] {
  const weights = layouts[channels] ?? new Array<number>(channels).fill(1);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Over which the channels' energies are averaged, in seconds. */
const AVERAGED = 0.05;
/** A sum with less than this share of the energy of independent channels means that channels cancel, … */
const CANCELS = 0.1;
/** … when it lasts for this many seconds; … */
const ENTER = 0.01;
/** … and the channels count as inverted until they have not cancelled for this many seconds. */
const LEAVE = 2;
/** Seconds in which one way of mixing fades into the other. */
const FADE = 0.01;
/** Another channel becomes the strongest when its energy is this many times that of the previous one. */
const STRONGER = 2;

/**
 * Mixes the channels of one run of audio: their weighted mean, and where they cancel (one of a pair is inverted) the strongest of them. It
 * is causal and works sample by sample, so the result does not depend on how the audio is split, and there is no delay.
 */
export class Mixer {
  readonly #weights: number[];
  readonly #leak: number;
  readonly #enter: number;
  readonly #leave: number;
  readonly #fade: number;
  /** Averaged energies of the channels, and of the sum. */
  readonly #energies: Float64Array;
  #energy = 0;
  /** Samples in a row in which the channels cancel; samples since they last did. */
  #cancelled = 0;
  #since: number;
  /** Share of the strongest channel in what is given out, 0 to 1, and which that is. */
  #share = 0;
  #strongest = 0;

  constructor(
    readonly channels: number,
    sampleRate: number,
  ) {
    this.#weights = weightsFor(channels);
    this.#leak = Math.exp(-1 / (AVERAGED * sampleRate));
    this.#enter = ENTER * sampleRate;
    this.#leave = LEAVE * sampleRate;
    this.#since = this.#leave;
    this.#fade = Math.min(1, 1 / (FADE * sampleRate));
    this.#energies = new Float64Array(channels);
  }

  /** One channel as it is; several as one. */
  mix(channels: Float32Array[]): Float32Array {
    const [first] = channels;
    if (!first) return new Float32Array(0);
    if (channels.length === 1) return first;
    const mono = new Float32Array(first.length);
    for (let i = 0; i < mono.length; i++) mono[i] = this.#sample(channels, i);
    return mono;
  }

  #sample(channels: Float32Array[], i: number): number {
    let sum = 0;
    let expected = 0;
    // The inner loop of everything but mono: no iterators.
    for (let channel = 0; channel < channels.length; channel++) {
      const value = (channels[channel] as Float32Array)[i] as number;
      const weight = this.#weights[channel] as number;
      const energy = this.#leak * (this.#energies[channel] as number) + value * value;
      this.#energies[channel] = energy;
      sum += weight * value;
      expected += weight * weight * energy;
    }
    this.#energy = this.#leak * this.#energy + sum * sum;
    const cancels = this.#energy < CANCELS * expected;
    this.#cancelled = cancels ? this.#cancelled + 1 : 0;
    if (this.#cancelled >= this.#enter) this.#since = 0;
    else if (!cancels && this.#since < this.#leave) this.#since++;
    const aim = this.#since < this.#leave ? 1 : 0;
    if (aim === 0 && this.#share === 0) return sum;
    this.#share = aim === 1 ? Math.min(1, this.#share + this.#fade) : Math.max(0, this.#share - this.#fade);
    const best = (channels[this.#choose()] as Float32Array)[i] as number;
    return sum + this.#share * (best - sum);
  }

  #choose(): number {
    let strongest = this.#strongest;
    for (let channel = 0; channel < this.#energies.length; channel++) {
      const energy = this.#energies[channel] as number;
      if (this.#weights[channel] !== 0 && energy > (this.#energies[strongest] as number)) strongest = channel;
    }
    if ((this.#energies[strongest] as number) > STRONGER * (this.#energies[this.#strongest] as number)) {
      this.#strongest = strongest;
    }
    return this.#strongest;
  }
}
