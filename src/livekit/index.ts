/**
 * Speech to text for LiveKit's agents (`@livekit/agents`, an optional peer). The entry point `parakeet-stream/livekit`, and nothing else.
 *
 * @module parakeet-stream/livekit
 */
export type { SpeechStream } from './speech-stream.js';
export { STT, type STTOptions } from './stt.js';
