/** The base of live sources: what becomes of sound that its reader has no room for, and that every gap is told. */
import { describe, expect, test } from 'vitest';
import { type Gap, LiveSource, type LiveSourceOptions } from '../../src/sources/live-source.js';

const RATE = 1000;

class Source extends LiveSource {
  readonly gaps: Gap[] = [];
  constructor(options: LiveSourceOptions) {
    super(RATE, options);
    this.on('gap', (gap: Gap) => this.gaps.push(gap));
    this.on('error', () => {});
  }
  say(seconds: number): void {
    this.give(new Int16Array(seconds * RATE).fill(1));
  }
  end(): void {
    this.endSound();
  }
  fail(): void {
    this.failLate(new Error('unplugged'));
  }
}

describe('with onOverflow gap', () => {
  test('sound that was dropped is told as a gap when there is room again', async () => {
    const source = new Source({ maxLag: 1, onOverflow: 'gap' });
    source.say(0.9);
    source.say(0.5);
    expect(source.gaps).toEqual([]);
    source.read();
    source.say(0.1);
    expect(source.gaps).toEqual([{ start: 0.9, end: 1.4 }]);
  });

  test.each(['end', 'fail'] as const)(
    'sound that was dropped last is told when the source is to %s',
    (how) => {
      const source = new Source({ maxLag: 1, onOverflow: 'gap' });
      source.say(0.9);
      source.say(0.5);
      source.say(0.25);
      source[how]();
      expect(source.gaps).toEqual([{ start: 0.9, end: 1.65 }]);
    },
  );

  test('no gap is told when nothing was dropped', () => {
    const source = new Source({ maxLag: 1, onOverflow: 'gap' });
    source.say(0.9);
    source.end();
    expect(source.gaps).toEqual([]);
  });
});
