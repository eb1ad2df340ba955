/**
 * Two recordings that ran at the same time, one for each speaker, to one transcript in the order of what was said.
 *
 *     node examples/two-speakers.mjs anna.wav ben.wav talk.srt
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { loadModel, merge, parakeet, srtWriter } from 'parakeet-stream';

const [anna, ben, subtitles] = process.argv.slice(2);
if (subtitles === undefined) throw new Error('Usage: node examples/two-speakers.mjs SOUND SOUND SUBTITLES');

const model = await loadModel();
const hear = (sound) => createReadStream(sound).pipe(parakeet({ model }));
await pipeline(merge({ Anna: hear(anna), Ben: hear(ben) }), srtWriter(subtitles));
await model.close();
