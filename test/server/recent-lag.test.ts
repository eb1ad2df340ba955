/** When the server counts as late. */
import { expect, test } from 'vitest';
import { RecentLag } from '../../src/server/recent-lag.js';

function lagged(...lags: number[]) {
  let now = 0;
  const recent = new RecentLag(() => now);
  for (const lag of lags) {
    now += 0.1;
    recent.observe(lag);
  }
  return {
    recent,
    wait: (seconds: number) => {
      now += seconds;
    },
  };
}

test('late when most finals are, not for a single slow step', () => {
  expect(lagged().recent.late).toBe(false);
  expect(lagged(9).recent.late).toBe(false);
  expect(lagged(...Array(8).fill(2)).recent.late).toBe(true);
  expect(lagged(...Array(7).fill(2)).recent.late).toBe(false);
  expect(lagged(...Array(10).fill(2), ...Array(10).fill(0.2)).recent.late).toBe(false);
  expect(lagged(...Array(11).fill(2), ...Array(10).fill(0.2)).recent.late).toBe(true);
});

test('only the last ten seconds count: a server that nobody uses any more is not late', () => {
  const { recent, wait } = lagged(...Array(20).fill(5));
  wait(8.5);
  expect(recent.late).toBe(true);
  wait(1.5);
  expect(recent.late).toBe(false);
  for (let i = 0; i < 20; i++) recent.observe(0.1);
  expect(recent.late).toBe(false);
});
