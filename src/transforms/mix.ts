/**
 * Channels to one. Weights only; rates are `resample.ts`'s matter.
 */

/** −3 dB: what a centre or surround channel contributes to each side of a stereo fold-down (ITU-R BS.775). */
const SIDE = Math.SQRT1_2;

/**
 * Weights for the channel orders that WAV and FLAC share (front left, front right, centre, low frequency, surrounds);
 * the low-frequency channel carries no speech. Normalised to a sum of one, so that nothing clips.
 */
function weightsFor(channels: number): number[] {
  const weights =
    channels === 6
      ? [1, 1, 2 * SIDE, 0, SIDE, SIDE]
      : channels === 8
        ? [1, 1, 2 * SIDE, 0, SIDE, SIDE, SIDE, SIDE]
        : new Array<number>(channels).fill(1);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** One channel as it is; several as their weighted mean: a plain mean but for 5.1 and 7.1. */
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
