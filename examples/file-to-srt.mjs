/**
 * A sound file to subtitles: the whole line in one pipeline.
 *
 *     node examples/file-to-srt.mjs talk.wav talk.srt
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parakeet, srtWriter } from 'parakeet-stream';

const [sound, subtitles] = process.argv.slice(2);
if (subtitles === undefined) throw new Error('Usage: node examples/file-to-srt.mjs SOUND SUBTITLES');

await pipeline(createReadStream(sound), parakeet(), srtWriter(subtitles));
