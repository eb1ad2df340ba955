/**
 * The progress bar: one line in place on a terminal, silence elsewhere.
 */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { ProgressBar } from '../../src/cli/progress.js';

/** To the start of the line, and clear it. */
const CLEAR = '\r\x1b[2K';

function terminal(isTTY: boolean, columns = 60) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns });
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => (stream.read() as string | null) ?? '',
  };
}

test('draws over itself and leaves nothing behind', () => {
  const { stream, text } = terminal(true);
  const bar = new ProgressBar(stream);
  bar.update(0.5, 'talk.wav');
  expect(text()).toBe(`${CLEAR}${'█'.repeat(15)}${'░'.repeat(15)}  50 % talk.wav`);
  bar.update(7, 'a'.repeat(200));
  const line = text();
  expect(line).toContain('100 %');
  expect(line).not.toContain('\n');
  expect(line.replace(CLEAR, '').length).toBeLessThan(60);
  bar.clear();
  expect(text()).toBe(CLEAR);
  bar.clear();
  expect(text()).toBe('');
});

test('is silent in a pipe', () => {
  const { stream, text } = terminal(false);
  const bar = new ProgressBar(stream);
  bar.update(0.5, 'talk.wav');
  bar.clear();
  expect(text()).toBe('');
});
