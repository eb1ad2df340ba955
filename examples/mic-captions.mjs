/**
 * Captions of a microphone in the terminal, and a subtitle file that grows with them. Ctrl-C ends it.
 *
 *     npm install decibri
 *     node examples/mic-captions.mjs talk.srt [DEVICE]
 */
import { pipeline } from 'node:stream/promises';
import { captionWriter, mic, parakeet, srtWriter, teeWriter } from 'parakeet-stream';

const [subtitles, device] = process.argv.slice(2);
if (subtitles === undefined) throw new Error('Usage: node examples/mic-captions.mjs SUBTITLES [DEVICE]');

const microphone = mic(device === undefined ? {} : { device });
process.once('SIGINT', () => microphone.stop());
const sinks = teeWriter(captionWriter(), srtWriter(subtitles));
await pipeline(microphone, parakeet({ silence: { gate: true } }), sinks);
