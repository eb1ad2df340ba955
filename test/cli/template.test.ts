/**
 * Names of transcript files.
 */
import { expect, test } from 'vitest';
import { fillTemplate, templateFields } from '../../src/cli/template.js';
import { UsageError } from '../../src/cli/usage-error.js';

const fields = templateFields('talks/monday.v2.mp3', 2, new Date(2025, 0, 9));

test.each([
  ['{filename}', 'monday.v2'],
  ['{parent}/{filename}_{index}_{date}', 'talks/monday.v2_3_20250109'],
  ['{{{filename}}}', '{monday.v2}'],
  ['plain', 'plain'],
])('%s', (template, name) => {
  expect(fillTemplate(template, fields)).toBe(name);
});

test('stdin has a name', () => {
  expect(templateFields('-', 0, new Date(0))).toMatchObject({ parent: '.', filename: 'stdin', index: '1' });
});

test.each(['{nope}', '{', '}', '{toString}'])('%s is refused', (template) => {
  expect(() => fillTemplate(template, fields)).toThrow(UsageError);
});
