/** The protocols that the server speaks. */
import type { Protocol } from '../context.js';
import { captions } from './captions/live.js';
import { deepgramFile } from './deepgram/file.js';
import { deepgramLive } from './deepgram/live.js';
import { health } from './health.js';
import { openaiFiles } from './openai/files.js';
import { openaiRealtime } from './openai/realtime/realtime.js';
import { page } from './page.js';
import { rooms } from './rooms.js';
import { twilio } from './twilio/live.js';

export const protocols: readonly Protocol[] = [
  health,
  openaiFiles,
  openaiRealtime,
  deepgramLive,
  deepgramFile,
  rooms,
  captions,
  page,
  twilio,
];
