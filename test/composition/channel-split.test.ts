// Where channels part: what each gets, how the slowest sets the pace, and a change of their number.
import { describe, expect, test } from 'vitest';
import { ChannelSplit } from '../../src/composition/channel-split.js';
import { AudioError } from '../../src/errors.js';
import type { AudioChunk } from '../../src/events.js';

/** A channel that takes each chunk when it is told to, and notes what happens. */
function target(takes = async () => {}) {
  const got: (number[] | 'end')[] = [];
  return {
    got,
    write: async ({ channels }: AudioChunk) => {
      got.push(channels.flatMap((one) => [...one]));
      await takes();
    },
    flush: async () => {},
    end: () => void got.push('end'),
  };
}
const chunk = (...channels: number[][]): AudioChunk => ({
  channels: channels.map((one) => Float32Array.from(one)),
  sampleRate: 4,
});

describe('a split', () => {
  test('gives each channel its samples, and the end', async () => {
    const [one, two] = [target(), target()];
    const split = new ChannelSplit(() => [one, two]);
    split.write(chunk([1, 2], [3, 4]));
    split.write(chunk([], []));
    split.write(chunk([5], [6]));
    split.end();
    await split.resume().toArray();
    expect(one.got).toEqual([[1, 2], [5], 'end']);
    expect(two.got).toEqual([[3, 4], [6], 'end']);
  });

  test('takes no more before all channels have room', async () => {
    let goOn = () => {};
    const [fast, slow] = [target(), target(() => new Promise((resolve) => (goOn = resolve)))];
    const split = new ChannelSplit(() => [fast, slow]);
    split.write(chunk([1], [1]));
    split.write(chunk([2], [2]));
    await new Promise((resolve) => setImmediate(resolve));
    expect([fast.got, slow.got]).toEqual([[[1]], [[1]]]);
    goOn();
    await new Promise((resolve) => setImmediate(resolve));
    expect([fast.got, slow.got]).toEqual([
      [[1], [2]],
      [[1], [2]],
    ]);
    split.destroy();
  });

  test.each([1, 3])(
    '%i channels after two: the channels end there, and the error comes late',
    async (count) => {
      const [one, two] = [target(), target()];
      const split = new ChannelSplit(() => [one, two]);
      let late: Error | undefined;
      split.onLateFailure = (error) => {
        late = error;
      };
      split.write(chunk([1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2]));
      split.write(chunk(...Array.from({ length: count }, () => [3])));
      split.write(chunk([4], [4]));
      split.end();
      await split.resume().toArray();
      expect(late).toBeInstanceOf(AudioError);
      expect(late?.message).toMatch(
        new RegExp(`Expected 2 channels throughout .* received ${count} at 1\\.50 s`),
      );
      expect(one.got).toEqual([[1, 1, 1, 1, 1, 1], 'end']);
      expect(two.got.at(-1)).toBe('end');
    },
  );
});
