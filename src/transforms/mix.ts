/**
 * Channels to one. Weights only; rates are `resample.ts`'s matter.
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

/** One channel as it is; several as their weighted mean. */
export function mixToMono(channels: Float32Array[]): Float32Array {
  const [first] = channels;
  if (!first) return new Float32Array(0);
  if (channels.length === 1) return first;
  const mono = new Float32Array(first.length);
  for (const [index, weight] of weightsFor(channels.length).entries()) {
    if (weight === 0) continue;
    const channel = channels[index] as Float32Array;
    for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] as number) + weight * (channel[i] as number);
  }
  return mono;
}
