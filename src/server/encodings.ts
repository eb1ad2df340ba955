/** The names that clients have for raw sound, and ours. */
import type { PcmEncoding } from '../index.js';

const encodings: Readonly<Record<string, PcmEncoding>> = {
  // Deepgram's
  linear16: 's16le',
  linear32: 's32le',
  mulaw: 'mulaw',
  alaw: 'alaw',
  // OpenAI's, in both forms
  pcm16: 's16le',
  g711_ulaw: 'mulaw',
  g711_alaw: 'alaw',
  'audio/pcm': 's16le',
  'audio/pcmu': 'mulaw',
  'audio/pcma': 'alaw',
  // Twilio's
  'audio/x-mulaw': 'mulaw',
};

/** The encoding that a client calls so; undefined for any other. */
export function encodingOf(name: string): PcmEncoding | undefined {
  return Object.hasOwn(encodings, name) ? encodings[name] : undefined;
}
