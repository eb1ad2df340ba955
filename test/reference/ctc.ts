// Greedy CTC decoding: equal tokens of frames that follow each other are one, and a blank parts two equal ones.
// A token runs from its first frame to the first frame of the next one, blanks in between included;
// the last one ends after its last non-blank frame. Confidence is the mean over those frames.
import { MEASURES, type Measure } from './confidence.js';
import { argmax, linear, type Matrix, softmax } from './matrix.js';
import { type ReferenceModel, vector, weight } from './model.js';
import type { FrameToken } from './transducer.js';

/** The token that has begun and is not known to have ended: its length hangs on frames to come. */
export interface CtcState {
  open: { id: number; start: number; confidences: number[]; lastSounding: number } | undefined;
}

export const initialCtcState = (): CtcState => ({ open: undefined });

/**
 * Reads every row of `encoded`, the first being frame `first`. `end`: there is nothing after it, so the open token is closed.
 * No token may start after `lastStart`: the first that would ends the reading.
 */
export function decodeCtc(
  model: ReferenceModel,
  encoded: Matrix,
  first: number,
  state: CtcState,
  end: boolean,
  lastStart = Number.POSITIVE_INFINITY,
  measure: Measure = 'entropy',
): { tokens: FrameToken[]; state: CtcState } {
  const blank = model.vocabulary.length;
  const prefix = model.weights.has('ctc_decoder.decoder_layers.0.weight') ? 'ctc_decoder' : 'decoder';
  const name = `${prefix}.decoder_layers.0`;
  const logits = linear(encoded, weight(model, `${name}.weight`), vector(model, `${name}.bias`));
  const tokens: FrameToken[] = [];
  let open =
    state.open === undefined ? undefined : { ...state.open, confidences: [...state.open.confidences] };

  const close = (until: number): void => {
    if (open === undefined) return;
    const confidences = open.confidences.slice(0, until - open.start);
    const confidence = confidences.reduce((sum, value) => sum + value, 0) / confidences.length;
    tokens.push({ id: open.id, start: open.start, duration: until - open.start, confidence });
    open = undefined;
  };

  for (let row = 0; row < logits.rows; row++) {
    const frame = first + row;
    const id = argmax(logits.row(row));
    const continued = open?.lastSounding === frame - 1 ? open.id : undefined;
    if (id !== blank && id !== continued) {
      close(frame);
      if (frame > lastStart) return { tokens, state: { open: undefined } };
      open = { id, start: frame, confidences: [], lastSounding: frame };
    }
    if (open === undefined) continue;
    open.confidences.push(MEASURES[measure]([...softmax(logits.row(row))]));
    if (id !== blank) open.lastSounding = frame;
  }
  if (end && open !== undefined) close(open.lastSounding + 1);
  return { tokens, state: { open } };
}
