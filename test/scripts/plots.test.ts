/** The plots of docs/measured.md show what the benches have left in bench/results. */
import { describe, expect, test } from 'vitest';
import { bars, curves } from '../../bench/plot.mjs';
import { plots } from '../../bench/plots.mjs';
import { readDocument } from '../support/documents.js';

describe.each(Object.entries(plots))('%s', (name, plot) => {
  test('is what bench/results has, and is shown in measured.md', () => {
    // `npm run plots` draws it again.
    expect(readDocument(`docs/pictures/${name}.svg`) === plot()).toBe(true);
    expect(readDocument('docs/measured.md')).toContain(`](pictures/${name}.svg)`);
  });
});

test('a point lies where its ticks say', () => {
  const points = [
    { x: 0, y: 10 },
    { x: 1, y: 20 },
    { x: 2, y: 10 },
  ];
  const plot = curves('T', [{ title: 't', x: 'x', y: 'y', series: [{ name: 's', points }] }]);
  const [first, second, third] = [...plot.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(
    ([, x, y]) => ({ x: Number(x), y: Number(y) }),
  );
  expect(second?.x).toBeCloseTo(((first?.x ?? 0) + (third?.x ?? 0)) / 2, 1);
  expect(third?.y).toBe(first?.y);
  expect(second?.y).toBeLessThan(first?.y ?? 0);
  const tick = [...plot.matchAll(/<text x="([\d.]+)" y="[\d.]+" text-anchor="middle" [^>]*>1<\/text>/g)];
  expect(tick.map(([, x]) => Number(x))).toEqual([second?.x]);
});

test('a bar is as long as its value, and the shortest comes first', () => {
  const plot = bars('T', 's', [
    { name: 'long', value: 40 },
    { name: 'short <1>', value: 10, ours: true },
  ]);
  const lengths = [...plot.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect((lengths[1] ?? 0) / (lengths[0] ?? 1)).toBeCloseTo(4, 2);
  expect(plot.indexOf('short &lt;1>')).toBeLessThan(plot.indexOf('long'));
});
