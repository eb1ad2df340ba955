/** parakeet-stream with its bundled model. */
import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { recording } from '../sound.mjs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** @param {{ loadModel: Function }} [library] another build of it: the tests take src/ */
export default async function ours(library) {
  const { loadModel } = library ?? (await import('parakeet-stream'));
  const model = await loadModel();
  const { sampleRate } = model;
  return {
    name: `parakeet-stream ${version}`,
    module: import.meta.url,
    sampleRate,
    speech: await recording(sampleRate),
    snapshots: true,
    open(from) {
      const live = model.live(from ? { from } : { latency: 'low' });
      return {
        push: (samples) => live.addAudio(samples),
        finals: () => live.finalizedTokens,
        finish: async () => (await live.finish()).tokens,
        snapshot: () => live.snapshot(),
        close: () => live.close(),
      };
    },
    async offline(samples) {
      const words = async (options) =>
        (await model.transcribe(samples, options)).sentences.flatMap((sentence) =>
          sentence.words.map(({ text }) => text),
        );
      const everything = { chunk: 100, lookahead: 0, left: 0 };
      return { streamed: await words({ mode: 'live', latency: everything }), offline: await words({}) };
    },
    async pipe(samples) {
      const bytes = (function* () {
        for (const piece of samples) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      })();
      const tokens = [];
      let read = () => {};
      const reading = new Promise((resolve) => {
        read = resolve;
      });
      const sink = new Writable({
        objectMode: true,
        write(event, _encoding, callback) {
          if (event.type === 'token') tokens.push(event.token);
          reading.then(() => callback());
        },
      });
      const aborter = new AbortController();
      const input = { format: 'f32le', sampleRate };
      const { signal } = aborter;
      const options = { mode: 'live', latency: 'low', input, sink, signal };
      const done = model.transcribe(Readable.from(bytes), options).catch((error) => error);
      return {
        async read() {
          read();
          const end = await done;
          return end instanceof Error ? { tokens, error: end } : { tokens };
        },
        async close() {
          aborter.abort();
          await done;
        },
      };
    },
    alive: async () => model.addon.counts().sessions,
    close: () => model.close(),
  };
}
