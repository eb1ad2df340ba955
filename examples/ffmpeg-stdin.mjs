/**
 * Raw sound on stdin to text, sentence by sentence, as it comes.
 *
 *     ffmpeg -loglevel error -i talk.mp4 -f s16le -ar 16000 -ac 1 - | node examples/ffmpeg-stdin.mjs
 */
import { pipeline } from 'node:stream/promises';
import { parakeet, txtWriter } from 'parakeet-stream';

if (process.stdin.isTTY)
  throw new Error('Usage: ffmpeg … -f s16le -ar 16000 -ac 1 - | node examples/ffmpeg-stdin.mjs');

await pipeline(
  process.stdin,
  parakeet({ input: { format: 's16le', sampleRate: 16000 } }),
  txtWriter(process.stdout),
);
