/** The public surface of parakeet-stream, and nothing else. */
export type { LagMessage, StepMessage, StreamMessage } from './diagnostics.js';
export type {
  NativeContext as AttentionContext,
  NativeDType as DType,
  NativeModelInfo as ModelInfo,
} from './engine/addon.js';
export {
  AbortedError,
  ArgumentError,
  AudioError,
  type ErrorCode,
  HubBusyError,
  LagError,
  ModelError,
  NativeError,
  NoSpaceError,
  ParakeetError,
} from './errors.js';
export type {
  AudioChunk,
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
export { TranscribeStream, type TranscribeStreamOptions } from './live/transcribe-stream.js';
export { type LoadModelOptions, loadModel } from './load-model.js';
export type { EncodeMelOptions, EncoderFrames, GenerateOptions, LogMelFrames } from './low-level.js';
export {
  type Events as MergeInput,
  MergedTranscript,
  type MergeInputOptions,
  type MergeOptions,
  merge,
} from './merge.js';
export { type BoostPhrase, readBoostFile } from './model/boost.js';
export { type ConvertModelOptions, convertModel } from './model/convert.js';
export type { DecodingOptions } from './model/decoding.js';
export type { LoadedModel } from './model/loaded-model.js';
export type { StageModel } from './model/stage-model.js';
export {
  type Latency,
  type Normalization,
  presets,
  type StreamingOptions,
} from './model/streaming-options.js';
export { Model } from './model.js';
export { type ParakeetOptions, ParakeetStream, parakeet } from './parakeet.js';
export type { RecordingProgress } from './recordings/recording.js';
export type { TranscribeOptions } from './recordings/transcribe-recording.js';
export type { SessionModel, SessionOptions } from './session/format.js';
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
  DiscordVoice,
  type DiscordVoiceOptions,
  discordVoice,
  type VoiceReceiverLike,
  type VoiceStats,
} from './sources/discord-voice.js';
export { type FfmpegAudio, type FfmpegOptions, ffmpeg } from './sources/ffmpeg.js';
export { type Gap, LiveSource, type LiveSourceOptions } from './sources/live-source.js';
export { devices, type MicOptions, Microphone, mic } from './sources/mic.js';
export type { InputDevice } from './sources/recorder.js';
export type { EndpointRules } from './text/endpointer.js';
export type { SentenceOptions } from './text/sentence-splitter.js';
export { type TranscribeIntoOptions, type TranscriptProgress, transcribe } from './transcribe.js';
export {
  type AudioFormat,
  type Decode,
  type DecodeOptions,
  decode,
  type PcmEncoding,
} from './transforms/decode.js';
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
export type { VerifyCheck } from './verify/check.js';
export {
  type VerifiedRecording,
  type VerifyOptions,
  type VerifyReport,
  verifyModel,
} from './verify/verify-model.js';
