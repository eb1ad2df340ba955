// NeMo's log-mel spectrogram of a whole signal, and its per-feature normalisation, as formulas.
// No streaming here: a live frame equals the whole signal's frame as soon as its window is filled.
import { Matrix } from './matrix.js';
import type { MelConfig } from './model.js';

/** `ln(2⁻²⁴)`, the value of every bin of a frame of digital silence. */
export const LOG_SILENCE = Math.log(2 ** -24);

/** `floor(samples / hop)` frames of log-mel, not normalised. */
export function logMel(samples: ArrayLike<number>, config: MelConfig): Matrix {
  const { fftSize, window, hop, features } = config;
  const frames = Math.floor(samples.length / hop);
  const out = new Matrix(frames, features);
  const hann = Float64Array.from(
    { length: window },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (window - 1)),
  );
  const filters = melFilters(config);
  const real = new Float64Array(fftSize);
  const imaginary = new Float64Array(fftSize);
  const power = new Float64Array(fftSize / 2 + 1);

  for (let m = 0; m < frames; m++) {
    real.fill(0);
    imaginary.fill(0);
    const begin = m * hop - window / 2;
    for (let i = 0; i < window; i++) {
      real[(fftSize - window) / 2 + i] = emphasized(samples, begin + i) * (hann[i] as number);
    }
    fft(real, imaginary);
    for (let k = 0; k < power.length; k++)
      power[k] = (real[k] as number) ** 2 + (imaginary[k] as number) ** 2;
    filters.forEach((filter, f) => {
      let sum = 0;
      for (let k = filter.first; k < filter.first + filter.weights.length; k++) {
        sum += (filter.weights[k - filter.first] as number) * (power[k] as number);
      }
      out.set(m, f, Math.log(sum + 2 ** -24));
    });
  }
  return out;
}

/** Pre-emphasised sample; zero outside the signal. */
function emphasized(samples: ArrayLike<number>, i: number): number {
  if (i < 0 || i >= samples.length) return 0;
  return (samples[i] as number) - (i > 0 ? 0.97 * (samples[i - 1] as number) : 0);
}

/** Slaney's mel scale: linear below 1 kHz, logarithmic above. */
const SLANEY_LOG_STEP = Math.log(6.4) / 27;
const hertzToMel = (hertz: number): number =>
  hertz < 1000 ? (3 * hertz) / 200 : 15 + Math.log(hertz / 1000) / SLANEY_LOG_STEP;
const melToHertz = (mel: number): number =>
  mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(SLANEY_LOG_STEP * (mel - 15));

/** Triangles of unit area between 0 Hz and half the sample rate; only the bins that are not zero. */
function melFilters(config: MelConfig): { first: number; weights: number[] }[] {
  const top = hertzToMel(config.sampleRate / 2);
  const edge = (i: number): number => melToHertz((top * i) / (config.features + 1));
  return Array.from({ length: config.features }, (_, f) => {
    const [low, middle, high] = [edge(f), edge(f + 1), edge(f + 2)];
    const weights: number[] = [];
    let first = 0;
    for (let k = 0; k <= config.fftSize / 2; k++) {
      const hertz = (k * config.sampleRate) / config.fftSize;
      const height = Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      if (height <= 0) continue;
      if (weights.length === 0) first = k;
      weights.push((height * 2) / (high - low));
    }
    return { first, weights };
  });
}

/** In place, radix 2. */
function fft(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j] as number, real[i] as number];
      [imaginary[i], imaginary[j]] = [imaginary[j] as number, imaginary[i] as number];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const angle = (-2 * Math.PI) / size;
    for (let k = 0; k < size / 2; k++) {
      const cos = Math.cos(angle * k);
      const sin = Math.sin(angle * k);
      for (let a = k; a < n; a += size) {
        const b = a + size / 2;
        const re = (real[b] as number) * cos - (imaginary[b] as number) * sin;
        const im = (real[b] as number) * sin + (imaginary[b] as number) * cos;
        real[b] = (real[a] as number) - re;
        imaginary[b] = (imaginary[a] as number) - im;
        real[a] = (real[a] as number) + re;
        imaginary[a] = (imaginary[a] as number) + im;
      }
    }
  }
}

/** True when the frame is digital silence: every bin at the logarithm's floor. */
export function isSilent(mel: Matrix, frame: number): boolean {
  return mel.row(frame).every((value) => value <= LOG_SILENCE + 1e-6);
}

export interface Statistics {
  mean: ArrayLike<number>;
  std: ArrayLike<number>;
}

/**
 * Per-feature mean and unbiased standard deviation over frames `[0, end)`; with `skipSilence`, over those of them that are not
 * digital silence. `undefined` when fewer than two frames are left.
 */
export function statistics(mel: Matrix, end: number, skipSilence: boolean): Statistics | undefined {
  const rows: number[] = [];
  for (let m = 0; m < end; m++) if (!skipSilence || !isSilent(mel, m)) rows.push(m);
  if (rows.length < 2) return undefined;
  const mean = new Float64Array(mel.columns);
  const std = new Float64Array(mel.columns);
  for (let f = 0; f < mel.columns; f++) {
    const average = rows.reduce((sum, m) => sum + mel.get(m, f), 0) / rows.length;
    mean[f] = average;
    std[f] = Math.sqrt(rows.reduce((sum, m) => sum + (mel.get(m, f) - average) ** 2, 0) / (rows.length - 1));
  }
  return { mean, std };
}

/** `(mel − mean) / (std + 1e-5)`; all zeros without statistics. */
export function normalize(mel: Matrix, stats: Statistics | undefined): Matrix {
  if (stats === undefined) return new Matrix(mel.rows, mel.columns);
  return mel.map((value, f) => (value - (stats.mean[f] as number)) / ((stats.std[f] as number) + 1e-5));
}
