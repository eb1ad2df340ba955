/** No promise is kept by a recogniser that breaks it: each check is held against one, which is ours with one thing spoilt. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Adapter, Session, Token } from '../../conformance/adapter.mjs';
import ours from '../../conformance/adapters/ours.mjs';
import { promises } from '../../conformance/promises.mjs';
import * as library from '../../src/index.js';

let adapter: Adapter;
const open: Session[] = [];
beforeAll(async () => {
  adapter = await ours(library);
});
afterAll(async () => {
  for (const session of open) await session.close();
  await adapter.close();
});

/** Ours, with its sessions changed. */
function sessions(spoil: (session: Session) => Partial<Session>): Partial<Adapter> {
  return {
    open(snapshot) {
      const session = adapter.open(snapshot);
      return { ...session, ...spoil(session) };
    },
  };
}
const token: Token = { text: ' um', start: 0, end: 0.08 };
let together = 0;

const spoilt: Record<string, () => Partial<Adapter>> = {
  'any-split': () =>
    sessions((session) => {
      let pushes = 0;
      return {
        push: (samples) => session.push(samples.slice(pushes++ % 2)),
        finish: async () => [...(await session.finish()), ...(pushes > 50 ? [token] : [])],
      };
    }),
  'stream-is-offline': () => ({
    offline: async () => ({ streamed: ['a'], offline: ['a', 'b'] }),
  }),
  'append-only': () => sessions((session) => ({ finals: () => session.finals().slice(-2) })),
  'absolute-times': () =>
    sessions((session) => ({
      finish: async () =>
        (await session.finish()).map((one) => ({
          ...one,
          start: one.start * 0.9999,
          end: one.end * 0.9999,
        })),
    })),
  silence: () => sessions((session) => ({ finish: async () => [...(await session.finish()), token] })),
  tail: () =>
    sessions((session) => {
      let quiet = false;
      return {
        push: (samples) => {
          quiet = samples.at(-1) === 0;
          return session.push(samples);
        },
        finish: async () => (await session.finish()).slice(0, quiet ? undefined : -3),
      };
    }),
  'bounded-memory': () =>
    sessions(() => {
      const kept: Float32Array[] = [];
      // More than other tests of this process free meanwhile.
      return {
        push: async (samples) => {
          for (let i = 0; i < 8; i++) kept.push(samples.slice());
        },
      };
    }),
  'back-pressure': () => ({
    pipe: async (source) => {
      for (const _ of source);
      return { read: async () => ({ tokens: [] }), close: async () => {} };
    },
  }),
  abort: () =>
    sessions((session) => {
      open.push(session);
      return { close: async () => {} };
    }),
  'batch-is-alone': () =>
    sessions((session) => {
      together++;
      let among = false;
      return {
        push: (samples) => {
          among ||= together > 1;
          return session.push(samples);
        },
        finish: async () => [...(await session.finish()), ...(among ? [token] : [])],
        close: () => {
          together--;
          return session.close();
        },
      };
    }),
  'threads-and-exit': () => ({
    module: `data:text/javascript,${encodeURIComponent(`
      import { isMainThread } from 'node:worker_threads';
      const session = { push: async () => {}, finish: async () => [{ text: isMainThread ? 'main' : 'worker' }] };
      export default () => ({ speech: [], open: () => session });`)}`,
  }),
  'malformed-input': () =>
    sessions((session) => ({ push: (samples) => session.push(samples).catch(() => {}) })),
  'source-faults': () => ({
    pipe: async (source) => {
      const { read, close } = await (adapter.pipe as NonNullable<Adapter['pipe']>)(source);
      return { read: async () => ({ tokens: (await read()).tokens }), close };
    },
  }),
  resume: () => ({ open: () => adapter.open() }),
};

describe('a recogniser that breaks it is found out:', () => {
  test.each(promises.map(({ id, check }) => [id, check] as const))('%s', async (id, check) => {
    const spoil = spoilt[id];
    await expect(check({ ...adapter, ...spoil?.() })).rejects.toThrow();
  });
});
