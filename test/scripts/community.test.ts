/** What stands around the code: workflows, issue forms, licences of third parties. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findings } from '../../scripts/actionlint.mjs';
import { thirdPartyLicenses } from '../../scripts/third-party.mjs';
import { brokenLinks, readDocument, root } from '../support/documents.js';

const filesOf = (folder: string) =>
  readdirSync(path.join(root, folder)).map((name) => path.posix.join(folder, name));

test('actionlint finds nothing in the workflows', async () => {
  expect(await findings()).toEqual([]);
});

test.each(filesOf('.github/workflows'))(
  '%s pins every action by its commit, and says its version',
  (file) => {
    const uses = [...readDocument(file).matchAll(/^\s*-? ?uses: (.*)$/gm)].map(([, action = '']) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  },
);

describe.each(filesOf('.github/ISSUE_TEMPLATE').filter((file) => !file.endsWith('config.yml')))(
  '%s',
  (file) => {
    const form = parse(readDocument(file)) as {
      name?: string;
      description?: string;
      body: { type: string; id?: string; attributes: { label?: string } }[];
    };

    test("is a form that asks for doctor's output", () => {
      expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
      const questions = form.body.filter(({ type }) => type !== 'markdown');
      expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
      expect(questions.map(({ attributes }) => attributes.label ?? '').join('\n')).toContain(
        'parakeet doctor --json',
      );
    });
  },
);

test('THIRD_PARTY_LICENSES is up to date', () => {
  // Run `node scripts/third-party.mjs` when dependencies have changed.
  expect(readDocument('THIRD_PARTY_LICENSES') === thirdPartyLicenses()).toBe(true);
});

test.each(['SECURITY.md', 'CODE_OF_CONDUCT.md', 'conformance/README.md'])(
  'every link of %s leads somewhere',
  (file) => {
    expect(brokenLinks(file)).toEqual([]);
  },
);
