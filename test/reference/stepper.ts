// A stream's definition, computed over whole-signal arrays: which frames each step sees, commits and drafts.
// The native engine does the same with caches; it must give these tokens for any pushes.
import { type DecoderState, decodeFrames, type Head, initialDecoderState } from './decode.js';
import { type Context, emptyMemory, encode, type LayerMemory, runLayers, subsample } from './encoder.js';
import { LiveStatistics, type Prior } from './live-statistics.js';
import { Matrix, stack } from './matrix.js';
import { isSilent, logMel, normalize, type Statistics } from './mel.js';
import type { ReferenceModel } from './model.js';
import type { FrameToken } from './transducer.js';

interface AgreementRule {
  drafts: number;
  lookahead: number;
  confidence: number;
}

export interface StepperOptions {
  head: Head;
  /** Frames that become final at each step. */
  chunk: number;
  /** Frames of right context before a frame is final. */
  lookahead: number;
  /** Drafts that must agree on a token, the frames seen after its first one, and the least confidence: it is final then. */
  agreement?: AgreementRule | undefined;
  context: Context;
  /** Final frames whose keys and values attention still sees. */
  cache: number;
  normalization: 'running' | 'none' | Statistics;
  /** What running statistics begin with. */
  prior?: Prior;
  /** Samples of silence at the end. */
  flush: number;
  /** Frames that a token may begin after the last sound, at the flush. */
  emissionDelay: number;
}

interface Step {
  /** First frame of the grid that this step makes final, and how many. */
  firstFrame: number;
  final: number;
  draft: number;
  finalTokens: FrameToken[];
  draftTokens: FrameToken[];
}

export interface Steps {
  steps: Step[];
  tokens: FrameToken[];
  /** The final encoder frames, in order, from frame `start` on. */
  encoded: Matrix;
  start: number;
}

/** The mel frames of a signal and of its flush, and which of them are what. */
interface Signal {
  mel: Matrix;
  /** Frames that exist while the input still runs: their window is filled. */
  live: number;
  /** Frames of the input; those after it come from the flush and never enter the statistics. */
  real: number;
}

function analyse(model: ReferenceModel, samples: Float32Array, flush: number): Signal {
  const { hop, window } = model.mel;
  const padded = new Float32Array(samples.length + flush);
  padded.set(samples);
  return {
    mel: logMel(padded, model.mel),
    live: samples.length < window / 2 ? 0 : Math.floor((samples.length - window / 2) / hop) + 1,
    real: Math.floor(samples.length / hop),
  };
}

/** The first frame in `[0, end)` that is not digital silence. */
function firstSound(mel: Matrix, end: number): number | undefined {
  for (let m = 0; m < end; m++) if (!isSilent(mel, m)) return m;
  return undefined;
}

/** The last encoder frame at which a token may begin. A signal without a flush has no such limit. */
function lastTokenStart(model: ReferenceModel, { mel, real }: Signal, emissionDelay: number): number {
  if (mel.rows === real) return Number.POSITIVE_INFINITY;
  for (let m = real - 1; m >= 0; m--) {
    if (!isSilent(mel, m)) return Math.ceil((m + 1) / model.encoder.subsamplingFactor) - 1 + emissionDelay;
  }
  return Number.NEGATIVE_INFINITY;
}

/** Runs the whole stream. How the samples were pushed cannot matter: steps lie on a grid. */
export function runSteps(model: ReferenceModel, samples: Float32Array, options: StepperOptions): Steps {
  const { chunk, lookahead, normalization } = options;
  const factor = model.encoder.subsamplingFactor;
  const signal = analyse(model, samples, options.flush);
  const { mel, live, real } = signal;

  // With running statistics the model sleeps through leading silence, and the grid begins anew at the first sound.
  let start = normalization === 'running' ? undefined : 0;
  const statistics = new LiveStatistics(mel, options.prior);
  const normalized = (part: Matrix): Matrix => {
    if (normalization === 'none') return part;
    return normalization === 'running' ? statistics.normalize(part) : normalize(part, normalization);
  };
  let memory = emptyMemory(model, 0);
  let state = initialDecoderState(model, options.head, 0);
  let encoded = new Matrix(0, model.encoder.dModel);
  const steps: Step[] = [];
  const tokens: FrameToken[] = [];
  // What is final lies before this frame: the grid's, or further where drafts agree.
  let frontier = 0;
  const drafts: FrameToken[][] = [];

  const findStart = (end: number): void => {
    const sound = start === undefined ? firstSound(mel, end) : undefined;
    if (sound === undefined) return;
    // After silence the first frame with sound has only the edge of its window there: the signal begins with the next.
    start = Math.floor((sound > 0 ? sound + 1 : 0) / factor);
    memory = emptyMemory(model, start);
    state = initialDecoderState(model, options.head, start);
  };

  /** Encodes frames `[from, until)` as seen by a step that sees mel frames `[0, seen)`. */
  const encodeRange = (from: number, until: number, seen: number) => {
    // One frame more on the left: frame t sees mel frames 8t − 7 …, so the wrong padding reaches only that frame.
    const left = Math.max(start ?? 0, from - 1);
    const frames = subsample(model, normalized(mel.slice(left * factor, seen))).slice(
      from - left,
      until - left,
    );
    return runLayers(model, frames, from, memory, options);
  };

  let done = 0;
  while (factor * (done + chunk + lookahead) <= live) {
    const seenFrames = done + chunk + lookahead;
    const seen = factor * seenFrames;
    const asleep = start === undefined;
    findStart(seen);
    if (asleep && start !== undefined && start > done) {
      steps.push({ firstFrame: done, final: start - done, draft: 0, finalTokens: [], draftTokens: [] });
      done = start;
      continue;
    }
    const step: Step = { firstFrame: done, final: chunk, draft: 0, finalTokens: [], draftTokens: [] };
    if (start !== undefined) {
      statistics.hear(start * factor, seen);
      const from = Math.max(done, start);
      const final = Math.max(0, done + chunk - from);
      const { encoded: rows, added } = encodeRange(from, seenFrames, seen);
      memory = memory.map((layer, i) => commit(layer, added[i] as LayerMemory, final));
      encoded = stack(encoded, rows.slice(0, final));
      // Decodes frames from the frontier on.
      const decodeUntil = (frame: number, end: boolean) => {
        const first = Math.min(Math.max(frontier, from), seenFrames);
        const part = rows.slice(first - from, Math.max(first, frame) - from);
        return decodeFrames(model, part, first, state, end);
      };
      const finalise = (frame: number) => {
        const decoded = decodeUntil(frame, false);
        step.finalTokens.push(...decoded.tokens);
        state = decoded.state;
        frontier = Math.max(frontier, frame);
        step.draftTokens = decodeUntil(seenFrames, true).tokens;
      };
      step.draft = rows.rows - final;
      finalise(done + chunk);
      if (options.agreement) {
        drafts.push(step.draftTokens);
        const agreed = agreedBefore(drafts, options.agreement, frontier, seenFrames);
        if (agreed > frontier) finalise(agreed);
      }
    }
    steps.push(step);
    tokens.push(...step.finalTokens);
    done += chunk;
  }

  const total = Math.ceil(mel.rows / factor);
  const last: Step = { firstFrame: done, final: total - done, draft: 0, finalTokens: [], draftTokens: [] };
  findStart(real);
  if (start !== undefined) {
    statistics.hear(start * factor, real);
    const from = Math.min(Math.max(done, start), total);
    const rows =
      from < total ? encodeRange(from, total, mel.rows).encoded : new Matrix(0, model.encoder.dModel);
    encoded = stack(encoded, rows);
    const limit = lastTokenStart(model, signal, options.emissionDelay);
    const first = Math.min(Math.max(from, frontier), total);
    const left = rows.slice(first - from, rows.rows);
    last.finalTokens = decodeFrames(model, left, first, state, true, limit).tokens;
  }
  steps.push(last);
  tokens.push(...last.finalTokens);
  return { steps, tokens, encoded, start: start ?? total };
}

/** The frame before which the last drafts agree on all tokens from `frontier` on. */
function agreedBefore(
  drafts: readonly FrameToken[][],
  rule: AgreementRule,
  frontier: number,
  seen: number,
): number {
  if (drafts.length < rule.drafts) return frontier;
  const asked = drafts.slice(-rule.drafts).map((draft) => draft.filter(({ start }) => start >= frontier));
  const newest = asked.at(-1) as FrameToken[];
  const agrees = (i: number) =>
    asked.every((draft) => {
      const [token, own] = [draft[i], newest[i] as FrameToken];
      return (
        token?.id === own.id &&
        Math.abs(token.start - own.start) <= 1 &&
        token.confidence >= rule.confidence &&
        own.start + 1 + rule.lookahead <= seen
      );
    });
  const first = newest.findIndex((_, i) => !agrees(i));
  const count = first < 0 ? newest.length : first;
  // Tokens of one frame are final together.
  const whole = newest.slice(0, count).filter(({ start }) => start !== newest[count]?.start);
  return (whole.at(-1)?.start ?? frontier - 1) + 1;
}

/** A layer's memory with the first `rows` rows of what a step added. */
function commit(layer: LayerMemory, added: LayerMemory, rows: number): LayerMemory {
  return {
    first: layer.first,
    keys: stack(layer.keys, added.keys.slice(0, rows)),
    values: stack(layer.values, added.values.slice(0, rows)),
    convInputs: stack(layer.convInputs, added.convInputs.slice(0, rows)),
  };
}

/** The same signal in one go: every frame sees its whole context. */
export function runOffline(
  model: ReferenceModel,
  samples: Float32Array,
  options: Pick<StepperOptions, 'head' | 'context' | 'flush' | 'emissionDelay'> & {
    normalization: 'none' | Statistics;
  },
): { tokens: FrameToken[]; encoded: Matrix } {
  const signal = analyse(model, samples, options.flush);
  const { normalization } = options;
  const features = normalization === 'none' ? signal.mel : normalize(signal.mel, normalization);
  const encoded = encode(model, features, options.context);
  const state: DecoderState = initialDecoderState(model, options.head, 0);
  const limit = lastTokenStart(model, signal, options.emissionDelay);
  return { tokens: decodeFrames(model, encoded, 0, state, true, limit).tokens, encoded };
}

/** Right context that makes streaming equal to local attention in the first `depth` layers. */
export function exactLookahead(model: ReferenceModel, right: number, depth = model.encoder.layers): number {
  return Math.min(depth, model.encoder.layers) * (right + (model.encoder.convKernel - 1) / 2);
}
