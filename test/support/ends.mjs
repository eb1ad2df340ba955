// Run by a test in a process of its own: every way in which a stream can end, one after the other, on the built package and the
// bundled model. Nothing here ends the process: it must end by itself.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parakeet, transcribe } from '../../dist/index.js';

const speech = await readFile(new URL('../audio/af_sky_10.flac', import.meta.url));
const sink = (write = (_event, _encoding, callback) => callback()) =>
  new Writable({ objectMode: true, write });
const failed = (promise) =>
  promise.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );

const { text } = await transcribe([speech]);
console.log('end', text);

console.log('cut', await failed(pipeline(Readable.from([speech.subarray(0, -1000)]), parakeet(), sink())));

for await (const _ of Readable.from([speech]).pipe(parakeet())) break;
console.log('break');

const aborter = new AbortController();
const aborted = failed(pipeline(new Readable({ read() {} }), parakeet({ signal: aborter.signal }), sink()));
aborter.abort();
console.log('abort', await aborted);

const endless = new Readable({ read() {} });
endless.push(speech);
const stream = parakeet({ latency: 'low' });
const destroyed = failed(pipeline(endless, stream, sink()));
await once(stream, 'readable');
stream.destroy(new Error('enough'));
console.log('destroy', await destroyed);

const full = sink((_event, _encoding, callback) => callback(new Error('disk full')));
console.log('sink', await failed(pipeline(Readable.from([speech]), parakeet(), full)));

console.log(
  'model',
  await failed(pipeline(Readable.from([speech]), parakeet({ model: './no-such-model' }), sink())),
);
