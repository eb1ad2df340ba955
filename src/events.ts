/**
 * The typed objects that pass between the stages, and out of the last one. Types only: nothing here runs.
 *
 * All times are seconds from the start of the stream. A *frame* is one encoder output (80 ms for Parakeet).
 */

/** Planar audio, one `Float32Array` per channel, all of one length, samples in [-1, 1]. At most 100 ms long. */
export interface AudioChunk {
  /** One array per channel. */
  channels: Float32Array[];
  /** Samples per second, a positive number. */
  sampleRate: number;
}

/** Somebody begins to speak (`speaking`), or nobody has spoken since. */
export interface SpeechChange {
  /** Seconds. */
  time: number;
  speaking: boolean;
}

/** Log-mel frames, natural logarithm, not normalised. */
export interface MelChunk {
  /**
   * Row-major `frames × features`. In the chunks of `logMel` it is copied out of the engine when it is first read; `encode` needs no copy
   * of chunks that were not read.
   */
  data: Float32Array;
  frames: number;
  features: number;
  /** Index of the first frame of `data`, counted from the start of the stream. */
  firstFrame: number;
  /** Where speech begins and ends, as these frames have decided. Absent when they decide nothing. */
  speech?: SpeechChange[];
  /**
   * Set on the last chunk only: the number of samples of the input. Frames at and after `floor(samples / hop)` come from the silence that
   * flushes the model, and never enter the statistics of the normalisation.
   */
  end?: { samples: number };
}

/**
 * A ticket for encoder frames that stay inside the native session until they are decoded. Plain data: only `session` refers to native
 * state, which is freed when its encode stage closes.
 */
export interface EncodedChunk {
  /** The native encoder session that holds the frames. Opaque. */
  session: object;
  /**
   * Number of this ticket within its session; −1 for an object without frames: one that has only `speech`, or the last of a stream, which
   * has `end`.
   */
  ticket: number;
  /** Index of the first frame, counted from the start of the stream. */
  firstFrame: number;
  /** How many of the frames are final. */
  final: number;
  /** How many frames follow the final ones as a draft. */
  draft: number;
  /** Seconds of compute that the frames took. */
  computeSeconds: number;
  /** Steps of the grid that this one replaces: more than 1 only with `lagPolicy: 'growSteps'`. */
  grown: number;
  /** Streams whose steps ran together with this one, including it. */
  batch: number;
  /** Where speech begins and ends. Sent by itself as soon as its `MelChunk` comes, so empty where there are frames. */
  speech: SpeechChange[];
  /** `performance.now()` when the audio that made this step possible reached the encode stage. */
  readyAt: number;
  /** Set when the input is over, on the remaining tickets and on the last object: the duration of the input in seconds. */
  end?: { duration: number };
}

/** One token of the vocabulary, placed in time. */
export interface Token {
  /** Index in the model's vocabulary; in drafts of a `draftModel`, in that model's. */
  id: number;
  /** Text as it is appended to the transcript: a leading space starts a word; empty for control tokens. */
  text: string;
  /** Seconds. Starts never decrease from one token to the next. */
  start: number;
  /** Seconds, `start + duration`. */
  end: number;
  /** Seconds, at least 0. */
  duration: number;
  /** In [0, 1]: of a calibrated model the probability that the token is right, else as `decoding.confidence` says. */
  confidence: number;
}

/**
 * A word with the punctuation after it: the text between two spaces; in languages without spaces (Chinese, Japanese, Thai …), a word by
 * `Intl.Segmenter`. Its times are those of its tokens; within a token that spans several words, in proportion to the characters.
 */
export interface Word {
  /** Without the space before it. */
  text: string;
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /**
   * Of a calibrated model the probability that the word is right, the product of the confidences of its tokens without punctuation; else the
   * geometric mean of the confidences of all tokens that it has a part of.
   */
  confidence: number;
}

/** A complete, final sentence. */
export interface Sentence {
  /**
   * Set by `refine`: the sentence was transcribed again with context on both sides, and its words differ from those of its `token` events.
   */
  revised?: true;
  /** Who speaks. Only in a whole transcript with `speakers`; elsewhere it is in the event. */
  speaker?: string;
  /** Trimmed text. */
  text: string;
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
  /** Seconds, `end − start`. */
  duration: number;
  /**
   * Of a calibrated model the share of its words that can be expected to be right, the mean of their confidences; else the geometric mean of
   * its tokens' confidences.
   */
  confidence: number;
  tokens: Token[];
  words: Word[];
}

/** A whole transcript. With `speakers`, those of all in the order of time. */
export interface TranscriptResult {
  text: string;
  /** With `speakers`, each has its `speaker`. */
  sentences: Sentence[];
  tokens: Token[];
}

/** The cost of a stream; of all speakers together, and the worst of their latencies. */
export interface StreamStats {
  /** Seconds of audio received. */
  audioSeconds: number;
  /** Seconds of native compute, of both models with a `draftModel`. */
  computeSeconds: number;
  /** `computeSeconds / audioSeconds`; 0 for an empty stream. */
  realTimeFactor: number;
  /** Steps of the encoder, or of both. */
  steps: number;
  /** Steps whose draft was not made because newer audio waited. */
  draftsDropped: number;
  /** Steps of the grid that were taken together to catch up; always 0 without `lagPolicy: 'growSteps'`. */
  stepsGrown: number;
  /** The largest delay of finals beyond what they would have on an infinitely fast machine, in seconds. See {@link LagEvent}. */
  maxLag: number;
  /** Seconds from "the audio of a step is here" to "its tokens are out", over all steps. */
  latency: { p50: number; p95: number; max: number };
}

/** Common to the events of a merged stream. */
export interface Spoken {
  /** The speaker: the label that `merge` or `speakers` gave. Absent from other streams. */
  speaker?: string;
}

/** One final token. Never retracted. */
export interface TokenEvent extends Spoken {
  type: 'token';
  token: Token;
}
/** The whole unsettled tail as of now; replaces the previous draft. */
export interface DraftEvent extends Spoken {
  type: 'draft';
  tokens: Token[];
  /** Trimmed text of `tokens`. */
  text: string;
  /** Grows by at least one with each draft. */
  revision: number;
}
/** A complete, final sentence. */
export interface SentenceEvent extends Spoken {
  type: 'sentence';
  sentence: Sentence;
}
/** Everything before `time` is final. Strictly increasing. */
export interface ProgressEvent {
  type: 'progress';
  /** Seconds. */
  time: number;
}
/**
 * Someone begins to speak at `time`. Emitted with the write that brings the sound that decides it, about 35 ms after `time`, and not with a
 * step of the encoder: so it comes before the words of the sound around it, and in live use before finals of earlier sound, by as much as
 * these are late. What is certain about the order of `speechStart` and `speechEnd`:
 *
 * - they come in turn, a `speechStart` first, with times that never decrease;
 * - each comes before the tokens and the `progress` of the steps that have seen the sound which decides it;
 * - their number and their times depend on the audio and `silence.hangover` alone; between which other events they come depends on the
 *   machine's speed too.
 *
 * The start of a stream counts as speech until it turns out to be a room's noise.
 */
export interface SpeechStartEvent extends Spoken {
  type: 'speechStart';
  /** Seconds. */
  time: number;
}
/**
 * Nobody has spoken since `time`; emitted when the pause has lasted for `silence.hangover`. Words before `time` may still follow: only
 * `progress` says what is final.
 */
export interface SpeechEndEvent extends Spoken {
  type: 'speechEnd';
  /** Seconds. */
  time: number;
}
/**
 * An utterance is over, by the rules of `utterances`, by `flush()`, or because the model says so; the open sentence was closed before it.
 */
export interface EndOfUtteranceEvent extends Spoken {
  type: 'endOfUtterance';
  /** Start of its first token, in seconds. */
  start: number;
  /** End of its last token, in seconds. */
  end: number;
  /** The rule that applied; `'model'`: the model's own `<EOU>`. */
  reason: 'silence' | 'punctuation' | 'maxDuration' | 'flush' | 'end' | 'model';
}
/** A backchannel is over, a short "uh-huh" that takes no turn: the model says so by its `<EOB>`. Its words came as tokens before. */
export interface BackchannelEvent extends Spoken {
  type: 'backchannel';
  /** Start of its first token, in seconds. */
  start: number;
  /** End of its last token, in seconds. */
  end: number;
}
/**
 * The transcript falls behind the audio: what is final now came `seconds` later than its audio allowed. Sent when the lag exceeds a second,
 * whenever it has doubled since, and with 0 when the transcript has caught up.
 */
export interface LagEvent extends Spoken {
  type: 'lag';
  /** Seconds of delay, at least 0. */
  seconds: number;
}
/**
 * Audio between these times is missing: a device lost it, a live source overflowed, or a place in a file is damaged. Silence replaces it,
 * and the times of what follows are correct.
 */
export interface GapEvent extends Spoken {
  type: 'gap';
  /** Seconds. */
  start: number;
  /** Seconds. */
  end: number;
}
/** The last event of a stream that came to its end. */
export interface EndEvent {
  type: 'end';
  stats: StreamStats;
  /** Only with `collect: true`. */
  result?: TranscriptResult;
}
/** An input of a merged stream is over, or a channel: all its events came before this one. Only from `merge`, and with `speakers`. */
export interface LeftEvent {
  type: 'left';
  speaker: string;
  /** The cost of its stream, if it came to its end. */
  stats?: StreamStats;
  /** The reason, if it failed. */
  error?: Error;
}

/** The events of `parakeet()` and `merge()`. Consumers should ignore types that they do not know. */
export type TranscriptEvent =
  | TokenEvent
  | DraftEvent
  | SentenceEvent
  | ProgressEvent
  | SpeechStartEvent
  | SpeechEndEvent
  | EndOfUtteranceEvent
  | BackchannelEvent
  | LagEvent
  | GapEvent
  | EndEvent
  | LeftEvent;
