/** The protocols that the server speaks. */
import type { Protocol } from '../context.js';
import { deepgramFile } from './deepgram/file.js';
import { deepgramLive } from './deepgram/live.js';
import { health } from './health.js';
import { openaiFiles } from './openai/files.js';
import { openaiRealtime } from './openai/realtime/realtime.js';

export const protocols: readonly Protocol[] = [
  health,
  openaiFiles,
  openaiRealtime,
  deepgramLive,
  deepgramFile,
];
