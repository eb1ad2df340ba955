/** Figures in the documents are what benches measured: each word error rate says from which result it is, and agrees with it. */
import { describe, expect, test } from 'vitest';
import { documents, filled, markedIn, unmarkedIn } from '../scripts/figures.mjs';
import { readDocument } from './support/documents.js';

describe.each(documents as string[])('%s', (document) => {
  const text = readDocument(document);

  test('has the figures that were measured', () => {
    expect(filled(text)).toBe(text);
  });

  test('has no word error rate without its source', () => {
    expect(unmarkedIn(text)).toEqual([]);
  });
});

test('measured.md has many, and a figure that is not the measured one is seen', () => {
  const many = readDocument('docs/measured.md');
  expect(markedIn(many)).toBeGreaterThan(40);
  const other = many.replace(/\d+\.\d\d %<!--/, '99.99 %<!--');
  expect(other).not.toBe(many);
  expect(filled(other)).toBe(many);
});

test('the last run of a gate is what docs/verified.json has, and another text is seen', () => {
  const gates = JSON.parse(readDocument('docs/verified.json')) as Record<
    string,
    { date: string; passed: boolean }
  >;
  const table =
    '| soak | passed yesterday<!-- last run of soak --> |\n| none | <!-- last run of nothing --> |\n';
  const { date, passed } = gates.soak ?? { date: '', passed: false };
  expect(filled(table)).toContain(`| ${passed ? 'passed' : '**failed**'} on ${date}, `);
  expect(filled(table)).toContain('| not run yet<!-- last run of nothing --> |');
});

test('the machine is the one of the results, and another is seen', () => {
  const { machine } = JSON.parse(readDocument('bench/results/memory.json')) as { machine: string };
  expect(filled('On <!-- machine of memory -->a fast one<!-- /machine -->, idle')).toBe(
    `On <!-- machine of memory -->${machine}<!-- /machine -->, idle`,
  );
});
