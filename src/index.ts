/**
 * The public surface of parakeet-stream, and nothing else. Classes that only a factory constructs are exported as types.
 *
 * @module parakeet-stream
 */

export type { PcmEncoding } from './audio/formats/pcm.js';
export type { AudioFormat, InputOptions } from './audio/input-options.js';
export {
  type CalibrateModelOptions,
  type CalibrationReport,
  calibrateModel,
  type HeadCalibration,
} from './calibrate/calibrate-model.js';
export type { Reference } from './calibrate/references.js';
export type { ParakeetOptions, TranscriptionOptions } from './composition/options.js';
export type { ParakeetStream } from './composition/parakeet-stream.js';
export type { Speakers } from './composition/speakers.js';
export type { TranscribeOptions, TranscriptProgress } from './composition/transcribe-source.js';
export type { LagMessage, StepMessage, StreamMessage } from './diagnostics.js';
export type {
  ConfidenceMeasure,
  NativeContext as AttentionContext,
  NativeDType as DType,
  NativeModelInfo as ModelInfo,
} from './engine/addon.js';
export {
  AbortedError,
  ArgumentError,
  AudioError,
  ClosedError,
  DependencyError,
  type ErrorClasses,
  type ErrorCode,
  HubError,
  isParakeetError,
  JobError,
  LagError,
  ModelError,
  NativeError,
  ParakeetError,
  SavedStateError,
  ServerError,
  WriteError,
} from './errors.js';
export type {
  AudioChunk,
  BackchannelEvent,
  DraftEvent,
  EndEvent,
  EndOfUtteranceEvent,
  GapEvent,
  LagEvent,
  LeftEvent,
  ProgressEvent,
  Sentence,
  SentenceEvent,
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
export type { HubProgress } from './hub/hub.js';
export type { LiveTranscript } from './live/live-transcript.js';
export { type MovableOptions, movableStream, moveStream } from './live/movable.js';
export type { MovableStream, StreamSnapshot } from './live/movable-stream.js';
export type { LiveOptions, TranscribeStreamOptions } from './live/open-live.js';
export {
  type BuildLanguageModelOptions,
  type BuiltLanguageModel,
  buildLanguageModel,
} from './lm/build.js';
export { type ConvertLanguageModelOptions, convertLanguageModel } from './lm/convert.js';
export type { TextSource } from './lm/text.js';
export type { LanguageModelSummary } from './lm/write-model.js';
export { type LoadModelOptions, loadModel } from './load-model.js';
export type { EncodeLogMelOptions, EncoderFrames, GenerateOptions, LogMelFrames } from './low-level.js';
export {
  type Events as MergeInput,
  type MergedTranscript,
  type MergeInputOptions,
  type MergeOptions,
  merge,
} from './merge.js';
export { type BoostPhrase, readBoostFile } from './model/boost.js';
export type { Calibration, ConfidenceOptions } from './model/confidence.js';
export { type ConvertModelOptions, convertModel } from './model/convert.js';
export type { DecodingOptions } from './model/decoding.js';
export type { LanguageModelOptions, LanguageModelShare } from './model/language-model.js';
export {
  type AgreementOptions,
  type AgreementSeconds,
  type Latency,
  type LatencyOptions,
  type LatencyPreset,
  type LatencySeconds,
  presets,
  type SilenceOptions,
} from './model/latency.js';
export type { LoadedModel } from './model/loaded-model.js';
export type { StageModel } from './model/stage-model.js';
export type { Normalization, StreamingOptions } from './model/streaming-options.js';
export type { Model } from './model.js';
export { parakeet } from './parakeet.js';
export type { PipelineStage } from './pipeline-types.js';
export type { WindowOptions } from './recordings/window-plan.js';
export type { SessionLine, SessionModel, SessionOptions } from './session/format.js';
export { recordSession, type SessionFiles, type SessionRecorder } from './session/recorder.js';
export {
  type ReplayResult,
  readSession,
  replaySession,
  type Session,
  type SessionDifference,
} from './session/replay.js';
export * from './sinks/index.js';
export type { AudioBytes, AudioSource } from './sources/audio-source.js';
export {
  type DiscordVoice,
  type DiscordVoiceOptions,
  discordVoice,
  type VoiceReceiverLike,
  type VoiceStats,
} from './sources/discord-voice.js';
export { type FfmpegAudio, type FfmpegOptions, ffmpeg } from './sources/ffmpeg.js';
export { type Gap, LiveSource, type LiveSourceOptions } from './sources/live-source.js';
export { devices, type MicOptions, type Microphone, mic } from './sources/mic.js';
export type { InputDevice } from './sources/recorder.js';
export type { UtteranceOptions } from './text/endpointer.js';
export type { SentenceOptions } from './text/sentence-options.js';
export { type TranscribeWithModelOptions, transcribe } from './transcribe.js';
export type { VerifyCheck } from './verify/check.js';
export {
  type VerifiedRecording,
  type VerifyOptions,
  type VerifyReport,
  verifyModel,
} from './verify/verify-model.js';
