// How likely a text is, over all the ways in which its tokens can lie on the frames: the forward algorithms of CTC (Graves et al. 2006)
// and of the transducer (Graves 2012), as formulas. What a beam search approximates.
import { linear, Matrix, softmax } from './matrix.js';
import { type ReferenceModel, vector, weight } from './model.js';
import { initialState, join, predict } from './transducer.js';

/** Log-probabilities of each frame: tokens, then the blank. */
export function ctcLogits(model: ReferenceModel, encoded: Matrix): Float64Array[] {
  const prefix = model.weights.has('ctc_decoder.decoder_layers.0.weight') ? 'ctc_decoder' : 'decoder';
  const name = `${prefix}.decoder_layers.0`;
  const logits = linear(encoded, weight(model, `${name}.weight`), vector(model, `${name}.bias`));
  return Array.from({ length: logits.rows }, (_, row) => softmax(logits.row(row)).map(Math.log));
}

/** The text of a path: repeats become one, then blanks go. */
export function ctcText(path: readonly number[], blank: number): number[] {
  return path.filter((id, i) => id !== blank && id !== path[i - 1]);
}

/** ln P(text | frames). */
export function ctcLikelihood(
  frames: readonly Float64Array[],
  text: readonly number[],
  blank: number,
): number {
  // Blanks around and between the tokens.
  const states = [blank, ...text.flatMap((id) => [id, blank])];
  let alpha = states.map((id, i) => (i < 2 ? (frames[0]?.[id] as number) : Number.NEGATIVE_INFINITY));
  for (const frame of frames.slice(1)) {
    alpha = states.map((id, i) => {
      const skips = i >= 2 && id !== blank && id !== states[i - 2];
      const from = [alpha[i], alpha[i - 1], skips ? alpha[i - 2] : undefined];
      return logSum(from.map((value) => value ?? Number.NEGATIVE_INFINITY)) + (frame[id] as number);
    });
  }
  return logSum(alpha.slice(-2));
}

/** The predictor's output before each token of a text, and after the last. */
function predictions(model: ReferenceModel, text: readonly number[]): Float64Array[] {
  let { hidden, cell } = initialState(model, 0);
  return [undefined, ...text].map((last) => {
    const next = predict(model, last, hidden, cell);
    ({ hidden, cell } = next);
    return next.out;
  });
}

/** ln P(token | the tokens before it) by the predictor alone, of each token of a text. */
export function internalLikelihoods(model: ReferenceModel, text: readonly number[]): number[] {
  const predicted = predictions(model, text);
  return text.map((id, u) => {
    const logits = join(model, undefined, predicted[u] as Float64Array);
    return Math.log(softmax(logits.subarray(0, model.vocabulary.length))[id] as number);
  });
}

/**
 * ln P(text | frames) of a token-and-duration transducer (Xu et al. 2023), whose last duration may lead behind the last frame. A blank of
 * no duration lasts one frame, as in decoding.
 */
export function tdtLikelihood(model: ReferenceModel, encoded: Matrix, text: readonly number[]): number {
  const blank = model.vocabulary.length;
  const predicted = predictions(model, text);
  const alpha = new Map<string, number[]>([['0,0', [0]]]);
  const add = (frame: number, u: number, value: number) => {
    const key = `${Math.min(frame, encoded.rows)},${u}`;
    alpha.set(key, [...(alpha.get(key) ?? []), value]);
  };
  for (let frame = 0; frame < encoded.rows; frame++) {
    for (let u = 0; u <= text.length; u++) {
      const here = logSum(alpha.get(`${frame},${u}`) ?? []);
      if (here === Number.NEGATIVE_INFINITY) continue;
      const logits = join(model, encoded.row(frame), predicted[u] as Float64Array);
      const tokens = softmax(logits.subarray(0, blank + 1)).map(Math.log);
      const durations = softmax(logits.subarray(blank + 1)).map(Math.log);
      model.durations.forEach((duration, i) => {
        const own = here + (durations[i] as number);
        add(frame + Math.max(1, duration), u, own + (tokens[blank] as number));
        if (u < text.length) add(frame + duration, u + 1, own + (tokens[text[u] as number] as number));
      });
    }
  }
  return logSum(alpha.get(`${encoded.rows},${text.length}`) ?? []);
}

/** ln P(text | frames) of a transducer without durations. */
export function rnntLikelihood(model: ReferenceModel, encoded: Matrix, text: readonly number[]): number {
  const blank = model.vocabulary.length;
  const predicted = predictions(model, text);
  const scores = (frame: number, u: number) =>
    softmax(join(model, encoded.row(frame), predicted[u] as Float64Array)).map(Math.log);
  let alpha: number[] = [];
  for (let frame = 0; frame < encoded.rows; frame++) {
    const next: number[] = [];
    let emitted = Number.NEGATIVE_INFINITY;
    for (let u = 0; u <= text.length; u++) {
      const arrived = frame === 0 ? (u === 0 ? 0 : Number.NEGATIVE_INFINITY) : (alpha[u] as number);
      const here = logSum([arrived, emitted]);
      const own = scores(frame, u);
      next.push(here + (own[blank] as number));
      emitted = u < text.length ? here + (own[text[u] as number] as number) : Number.NEGATIVE_INFINITY;
    }
    alpha = next;
  }
  return alpha[text.length] as number;
}

export function logSum(values: readonly number[]): number {
  const most = Math.max(...values);
  return most === Number.NEGATIVE_INFINITY
    ? most
    : most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** The first frames of a golden `encoded`. */
export function firstFrames(data: Float32Array, columns: number, from: number, rows: number): Matrix {
  return new Matrix(rows, columns, Float64Array.from(data.subarray(from * columns, (from + rows) * columns)));
}
