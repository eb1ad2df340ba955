// Greedy decoding by a head's name, so that the stepper need not know which one a model has.
// State is a plain value for both kinds.
import { type CtcState, decodeCtc, initialCtcState } from './ctc.js';
import type { Matrix } from './matrix.js';
import type { ReferenceModel } from './model.js';
import { decodeTransducer, type FrameToken, initialState, type TransducerState } from './transducer.js';

export type Head = 'tdt' | 'rnnt' | 'ctc';
export type DecoderState = { transducer: TransducerState } | { ctc: CtcState };

export function initialDecoderState(model: ReferenceModel, head: Head, first: number): DecoderState {
  return head === 'ctc' ? { ctc: initialCtcState() } : { transducer: initialState(model, first) };
}

/** Rows of `encoded` are frames from `first` on; `end`: no frame follows; no token starts after `lastStart`. */
export function decodeFrames(
  model: ReferenceModel,
  encoded: Matrix,
  first: number,
  state: DecoderState,
  end: boolean,
  lastStart = Number.POSITIVE_INFINITY,
): { tokens: FrameToken[]; state: DecoderState } {
  if ('ctc' in state) {
    const decoded = decodeCtc(model, encoded, first, state.ctc, end, lastStart);
    return { tokens: decoded.tokens, state: { ctc: decoded.state } };
  }
  const decoded = decodeTransducer(model, encoded, first, state.transducer, lastStart);
  return { tokens: decoded.tokens, state: { transducer: decoded.state } };
}

/** All tokens of frames that are there at once. */
export function decodeAll(model: ReferenceModel, encoded: Matrix, head: Head): FrameToken[] {
  return decodeFrames(model, encoded, 0, initialDecoderState(model, head, 0), true).tokens;
}
