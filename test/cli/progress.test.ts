/**
 * The progress bar: one line in place on a terminal, silence elsewhere.
 */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { AudioProgress, clock, ProgressBar } from '../../src/cli/progress.js';

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

test('seconds of audio, of the whole, and what is left; never more than there is', () => {
  const { stream, text } = terminal(true, 120);
  let now = 0;
  const progress = new AudioProgress(new ProgressBar(stream), 'talk.mp3', () => now);
  expect(text()).toBe(`${CLEAR}0:00 talk.mp3`);
  now = 5000;
  progress.update(30, 120);
  expect(text()).toContain(' 25 % 0:30 of 2:00, 0:15 left talk.mp3');
  progress.update(125, 120);
  expect(text()).toContain('100 % 2:00 of 2:00, 0:00 left talk.mp3');
});

test('seconds alone where the length is not known', () => {
  const { stream, text } = terminal(true, 120);
  const progress = new AudioProgress(new ProgressBar(stream), 'stdin');
  progress.update(65);
  expect(text()).toBe(`${CLEAR}0:00 stdin${CLEAR}1:05 stdin`);
  expect(clock(3723)).toBe('1:02:03');
});

test('a wait for the hub is counted down', () => {
  const { stream, text } = terminal(true, 120);
  const bar = new ProgressBar(stream);
  bar.fetched({ file: 'model.safetensors', loaded: 1, total: 2, retryIn: 61 });
  expect(text()).toBe(`${CLEAR}The hub is busy, next attempt in 1:01`);
});
