// How a live stream's log-mel frames are normalised, written down as it is meant: the level of the speech is taken out first, then
// each feature's mean and deviation; both are averages that forget. Not which frames a step sees (stepper.ts).
import type { Matrix } from './matrix.js';
import { isSilent, LOG_SILENCE, normalize, type Statistics } from './mel.js';

/** Statistics to begin with: they count for so many frames. The level of `mean` is of no account, only its shape. */
export interface Prior extends Statistics {
  frames: number;
}

/** The same numbers as in native/model/live_statistics.h, where they are explained. */
const LEVEL_FRAMES = 300;
const SHAPE_FRAMES = 1500;
const DIP_FRAMES = 50;
const DIP = 1.5;
const LOUDER = 3;
const PAUSE_FRAMES = 80;
const REFERENCE_LEVEL = -9.5;
const LOUD_ABOVE_MEAN = 0.5;
const LEAST_POWER = 1e-12;
/** Those of native/model/speech_detector.h. */
const MARGIN = 1.5;
const FLOOR_SECONDS = 4;
const FRAMES_PER_SECOND = 100;

const GUARD = Math.exp(LOG_SILENCE);

/** The power in a band without NeMo's guard. */
const power = (logMel: number): number => Math.max(0, Math.exp(logMel) - GUARD);

/** The mean over the bands of ln(power). */
function loudness(mel: Matrix, frame: number): number {
  let sum = 0;
  for (const value of mel.row(frame)) sum += Math.log(power(value) + LEAST_POWER);
  return sum / mel.columns;
}

/** The frames as log-mel would have them if the sound were louder by `gain`, in nepers of power. */
function amplified(mel: Matrix, gain: number): Matrix {
  return mel.map((value) => Math.log(power(value) * Math.exp(gain) + GUARD));
}

/** A frame of sound, by what lies within half a second of it. */
interface SoundFrame {
  frame: number;
  level: number;
  /** Above the quietest of the last seconds. */
  loud: boolean;
  dipBefore: boolean;
  dipAfter: boolean;
  /** All that lies there is known, or no matter. */
  decided: boolean;
}

/** The frames of `[start, end)` that are not digital silence, as far as they can be told before `end`. */
function soundFrames(mel: Matrix, start: number, end: number): SoundFrame[] {
  const sounding = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i).filter(
    (frame) => !isSilent(mel, frame),
  );
  const levels = sounding.map((frame) => loudness(mel, frame));
  return sounding.map((frame, i) => {
    const level = levels[i] as number;
    const second = Math.floor(i / FRAMES_PER_SECOND);
    const last = levels.slice(Math.max(0, second - FLOOR_SECONDS) * FRAMES_PER_SECOND, i + 1);
    const floor = Math.min(...last);
    const dips = (from: number, until: number) =>
      levels.slice(Math.max(0, from), until).some((other) => other + DIP < level);
    const dipBefore = dips(i - DIP_FRAMES, i);
    const dipAfter = dips(i + 1, i + 1 + DIP_FRAMES);
    return {
      frame,
      level,
      // Whatever begins a stream counts as speech.
      loud: i === 0 || level > floor + MARGIN,
      dipBefore,
      dipAfter,
      decided: !dipBefore || dipAfter || i + DIP_FRAMES < levels.length,
    };
  });
}

/** Levels and shapes that were heard, in order, and for how long it has been quiet. */
interface Heard {
  levels: readonly number[];
  shapes: readonly Float64Array[];
  quiet: number;
}
const NOTHING: Heard = { levels: [], shapes: [], quiet: 0 };

/** The levels first: a speaker who begins within a step is measured by his own. */
function withFrames(mel: Matrix, heard: Heard, sound: readonly SoundFrame[]): Heard {
  const levels = [...heard.levels];
  let { quiet } = heard;
  const speech = sound.filter(({ level, loud, dipBefore, dipAfter, decided }) => {
    const first = levels.length === 0;
    const syllables = dipBefore && (dipAfter || !decided);
    // Much louder than speech was so far, and steady: noise.
    if (!first && !syllables && level > meanLevel(levels) + LOUDER) return false;
    quiet = loud || first ? 0 : quiet + 1;
    if (quiet === 0) levels.push(level);
    return quiet <= PAUSE_FRAMES;
  });
  const shapes = speech.map(({ frame }) =>
    Float64Array.from(amplified(mel.slice(frame, frame + 1), REFERENCE_LEVEL - meanLevel(levels)).row(0)),
  );
  return { levels, shapes: [...heard.shapes, ...shapes], quiet };
}

/** An average in which each value has `1 − 1 / memory` of the weight of the one after it. */
function weights(count: number, memory: number): number[] {
  return Array.from({ length: count }, (_, i) => (1 - 1 / memory) ** (count - 1 - i));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const weighted = (values: readonly number[], by: readonly number[]): number =>
  values.reduce((sum, value, i) => sum + value * (by[i] as number), 0);

export class LiveStatistics {
  readonly #mel: Matrix;
  readonly #prior: Prior | undefined;
  /** How many frames of sound are decided, what was heard in them, and in those behind as they look now. */
  #decided = 0;
  #settled: Heard = NOTHING;
  #newest: Heard = NOTHING;

  constructor(mel: Matrix, prior?: Prior) {
    this.#mel = mel;
    this.#prior = prior;
  }

  /** The step that sees the frames before `end`, of a signal that begins at `start`, adds those that no step before it saw. */
  hear(start: number, end: number): void {
    const sound = soundFrames(this.#mel, start, end);
    const open = sound.findIndex(({ decided }) => !decided);
    const decided = open < 0 ? sound.length : open;
    this.#settled = withFrames(this.#mel, this.#settled, sound.slice(this.#decided, decided));
    this.#newest = withFrames(this.#mel, this.#settled, sound.slice(decided));
    this.#decided = decided;
  }

  normalize(mel: Matrix): Matrix {
    return this.#newest.shapes.length < 2
      ? normalize(mel, undefined)
      : normalize(amplified(mel, REFERENCE_LEVEL - meanLevel(this.#newest.levels)), this.#statistics());
  }

  #statistics(): Statistics {
    const { shapes } = this.#newest;
    const by = weights(shapes.length, SHAPE_FRAMES);
    const prior = this.#prior;
    const priorWeight = (prior?.frames ?? 0) * (1 - 1 / SHAPE_FRAMES) ** shapes.length;
    const total = priorWeight + sum(by);
    const average = prior ? sum(Array.from(prior.mean)) / prior.mean.length : 0;
    const mean = new Float64Array(this.#mel.columns);
    const std = new Float64Array(this.#mel.columns);
    for (let f = 0; f < mean.length; f++) {
      const values = shapes.map((row) => row[f] as number);
      const priorMean = (prior?.mean[f] ?? 0) - average + REFERENCE_LEVEL - LOUD_ABOVE_MEAN;
      const middle = (weighted(values, by) + priorWeight * priorMean) / total;
      const squares = weighted(
        values.map((value) => (value - middle) ** 2),
        by,
      );
      const priorSquares = priorWeight * ((prior?.std[f] ?? 0) ** 2 + (priorMean - middle) ** 2);
      mean[f] = middle;
      std[f] = Math.sqrt((squares + priorSquares) / (total - 1));
    }
    return { mean, std };
  }
}

function meanLevel(levels: readonly number[]): number {
  const by = weights(levels.length, LEVEL_FRAMES);
  return weighted(levels, by) / sum(by);
}
