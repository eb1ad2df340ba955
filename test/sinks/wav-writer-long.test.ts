// A WAV file that grew beyond what 32 bits can say, without 4 GiB on the disk.
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import wav from 'wav';
import type { Destination } from '../../src/sinks/destination.js';
import { wavWriter } from '../../src/sinks/wav-writer.js';

const rewriteStart = vi.fn<(bytes: Uint8Array) => Promise<void>>(async () => {});
vi.mock(import('../../src/sinks/destination.js'), async (original) => ({
  ...(await original()),
  openTarget: async (): Promise<Destination> => ({
    async write() {},
    async close() {},
    async abort() {},
    rewriteStart,
  }),
}));

const chunk = { channels: [new Float32Array(8)], sampleRate: 16_000 };

test.each([
  [3e9, 1],
  [4.3e9, 0],
])('of %d bytes: its header is written %d times at the end', async (length, times) => {
  rewriteStart.mockClear();
  const read = vi.spyOn(wav.Writer.prototype, 'read');
  read.mockReturnValueOnce({ length } as Buffer).mockReturnValueOnce(null);
  const sink = wavWriter('long.wav');
  sink.end(chunk);
  await once(sink, 'close');
  read.mockRestore();
  expect(rewriteStart).toHaveBeenCalledTimes(times);
});
