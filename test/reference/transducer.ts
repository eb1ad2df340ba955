// Greedy TDT and RNNT decoding as formulas: prediction network, joint network, and the walk over the frames.
// State is a plain value, so a draft is decoding from the same value again.
import { MEASURES, type Measure } from './confidence.js';
import { argmax, linear, Matrix, sigmoid, softmax } from './matrix.js';
import { type ReferenceModel, vector, weight } from './model.js';

/** A token placed in time; frames from the start of the stream. */
export interface FrameToken {
  id: number;
  start: number;
  duration: number;
  confidence: number;
}

export interface TransducerState {
  /** Next frame to look at. May lie past the last frame there is: a duration that jumped over it (the carry). */
  pointer: number;
  /** Symbols and standing blanks so far at that frame. */
  symbols: number;
  lastToken: number | undefined;
  /** Per layer. */
  hidden: Float64Array[];
  cell: Float64Array[];
}

export function initialState(model: ReferenceModel, pointer: number): TransducerState {
  const zeros = (): Float64Array[] =>
    Array.from(
      { length: model.predictorLayers },
      () => new Float64Array(weight(model, 'decoder.prediction.embed.weight').columns),
    );
  return { pointer, symbols: 0, lastToken: undefined, hidden: zeros(), cell: zeros() };
}

/**
 * Walks from `state.pointer` to the end of `encoded`, whose first row is frame `first`. No token may start after `lastStart`:
 * the first that would ends the walk.
 */
export function decodeTransducer(
  model: ReferenceModel,
  encoded: Matrix,
  first: number,
  state: TransducerState,
  lastStart = Number.POSITIVE_INFINITY,
  measure: Measure = 'entropy',
): { tokens: FrameToken[]; state: TransducerState } {
  const blank = model.vocabulary.length;
  const tdt = model.durations.length > 0;
  const tokens: FrameToken[] = [];
  let { pointer, symbols, lastToken, hidden, cell } = state;
  while (pointer < first + encoded.rows) {
    const predicted = predict(model, lastToken, hidden, cell);
    const logits = join(model, encoded.row(pointer - first), predicted.out);
    const tokenLogits = logits.subarray(0, blank + 1);
    const id = argmax(tokenLogits);
    let duration = tdt
      ? (model.durations[argmax(logits.subarray(blank + 1))] as number)
      : id === blank
        ? 1
        : 0;
    if (id === blank) {
      // A blank changes nothing that the next look at this frame depends on: staying would loop.
      duration = Math.max(duration, 1);
    } else {
      if (pointer > lastStart) break;
      const confidence = MEASURES[measure]([...softmax(tokenLogits)]);
      tokens.push({ id, start: pointer, duration: tdt ? duration : 1, confidence });
      lastToken = id;
      ({ hidden, cell } = predicted);
    }
    symbols += 1;
    if (duration === 0 && symbols >= model.maxSymbols) duration = 1;
    if (duration > 0) symbols = 0;
    pointer += duration;
  }
  return { tokens, state: { pointer, symbols, lastToken, hidden, cell } };
}

/** One step of the prediction network; without a last token its input is zeros. */
export function predict(
  model: ReferenceModel,
  lastToken: number | undefined,
  hidden: Float64Array[],
  cell: Float64Array[],
): { out: Float64Array; hidden: Float64Array[]; cell: Float64Array[] } {
  const embedding = weight(model, 'decoder.prediction.embed.weight');
  const size = embedding.columns;
  let x: Float64Array = lastToken === undefined ? new Float64Array(size) : embedding.row(lastToken);
  const next = { hidden: [] as Float64Array[], cell: [] as Float64Array[] };
  for (let layer = 0; layer < model.predictorLayers; layer++) {
    const name = `decoder.prediction.dec_rnn.lstm.${layer}`;
    const fromInput = linear(
      new Matrix(1, size, x),
      weight(model, `${name}.Wx`),
      vector(model, `${name}.bias`),
    );
    const fromHidden = linear(new Matrix(1, size, hidden[layer]), weight(model, `${name}.Wh`));
    // Gates in the order input, forget, candidate, output.
    const gate = (index: number, j: number): number => {
      const column = index * size + j;
      return fromInput.get(0, column) + fromHidden.get(0, column);
    };
    const c = (cell[layer] as Float64Array).map(
      (old, j) => sigmoid(gate(1, j)) * old + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)),
    );
    const h = c.map((value, j) => sigmoid(gate(3, j)) * Math.tanh(value));
    next.hidden.push(h);
    next.cell.push(c);
    x = h;
  }
  return { out: x, ...next };
}

const ACTIVATIONS = { relu: (x: number): number => Math.max(0, x), tanh: Math.tanh, sigmoid };

/** Logits of the tokens, of the blank, and for TDT of the durations; without a frame, of the predictor alone. */
export function join(
  model: ReferenceModel,
  frame: Float64Array | undefined,
  predicted: Float64Array,
): Float64Array {
  const part = (name: 'enc' | 'pred', x: Float64Array): Matrix =>
    linear(
      new Matrix(1, x.length, x),
      weight(model, `joint.${name}.weight`),
      vector(model, `joint.${name}.bias`),
    );
  const fromFrame = frame && part('enc', frame);
  const fromTokens = part('pred', predicted);
  const activate = ACTIVATIONS[model.jointActivation];
  const sum = fromTokens.map((value, j) => activate(value + (fromFrame?.get(0, j) ?? 0)));
  return linear(sum, weight(model, 'joint.joint_net.2.weight'), vector(model, 'joint.joint_net.2.bias')).row(
    0,
  );
}
