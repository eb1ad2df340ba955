/** The mutants of TypeScript are made by replacing text: text that has moved on would break nothing, for months. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { edits } from './vitest.config.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('a mutant of TypeScript', () => {
  it.each(Object.entries(edits))('%s finds the line that it breaks, once', (_name, { file, from }) => {
    expect(readFileSync(path.join(root, file), 'utf8').split(from)).toHaveLength(2);
  });
});
