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

/** ln P(text | frames) of a transducer without durations. */
export function rnntLikelihood(model: ReferenceModel, encoded: Matrix, text: readonly number[]): number {
  const blank = model.vocabulary.length;
  let { hidden, cell } = initialState(model, 0);
  const predicted: Float64Array[] = [];
  for (const last of [undefined, ...text]) {
    const next = predict(model, last, hidden, cell);
    ({ hidden, cell } = next);
    predicted.push(next.out);
  }
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
