/**
 * The entry point `parakeet-stream/stages`: the six stages, their base class and their low-level options in frames, for custom pipelines.
 *
 * @module parakeet-stream/stages
 */
export type { PcmEncoding } from './audio/formats/pcm.js';
export type { AudioFormat, InputOptions } from './audio/input-options.js';
export type {
  ConfidenceMeasure,
  NativeContext as AttentionContext,
  NativeDType as DType,
  NativeModelInfo as ModelInfo,
} from './engine/addon.js';
export { ArgumentError, AudioError, DependencyError, isParakeetError, ParakeetError } from './errors.js';
export type {
  AudioChunk,
  BackchannelEvent,
  DraftEvent,
  EncodedChunk,
  EndEvent,
  EndOfUtteranceEvent,
  GapEvent,
  LagEvent,
  LeftEvent,
  MelChunk,
  ProgressEvent,
  Sentence,
  SentenceEvent,
  SpeechChange,
  SpeechEndEvent,
  SpeechStartEvent,
  Spoken,
  StreamStats,
  Token,
  TokenEvent,
  TranscriptEvent,
  TranscriptResult,
  Word,
} from './events.js';
export type { BoostPhrase } from './model/boost.js';
export type { DecodingOptions } from './model/decoding.js';
export type { LatencyPreset } from './model/latency.js';
export type { StageModel } from './model/stage-model.js';
export type { Normalization, StreamingOptions } from './model/streaming-options.js';
export type { PipelineStage } from './pipeline-types.js';
export type { UtteranceOptions } from './text/endpointer.js';
export type { SentenceOptions } from './text/sentence-options.js';
export { type Decode, type DecodeOptions, decode } from './transforms/decode.js';
export { type Encode, type EncodeOptions, encode } from './transforms/encode.js';
export { type LogMel, type LogMelOptions, logMel } from './transforms/log-mel.js';
export { type Resample, type ResampleOptions, resample } from './transforms/resample.js';
export { type SentencesOptions, sentences } from './transforms/sentences.js';
export { Stage, type StageOptions, type StageSetup } from './transforms/stage.js';
export {
  ctcDecode,
  rnntDecode,
  type TokenDecode,
  type TokenDecodeOptions,
  tdtDecode,
  tokenDecode,
} from './transforms/token-decode.js';
export { type WrittenFormOptions, writtenForm } from './transforms/written-form.js';
