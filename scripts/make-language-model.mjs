/**
 * Makes the bundled language model, models/parakeet-tiny-en/en.lm, of a text, and prints its size and hash. The text is not in the
 * repository: models/parakeet-tiny-en/LANGUAGE_MODEL.md says what it consists of.
 *
 *     npm run -s build:dist
 *     xz -dc en.txt.xz | node scripts/make-language-model.mjs
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLanguageModel } from 'parakeet-stream';

const folder = path.join(fileURLToPath(new URL('..', import.meta.url)), 'models', 'parakeet-tiny-en');
const file = path.join(folder, 'en.lm');
const built = await buildLanguageModel([process.stdin], file, { model: folder, order: 4, size: 3_000_000 });
const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
console.log(
  `${built.words} words, ${built.skipped} left out; grams ${built.grams.join(', ')}; ${built.bytes} bytes; SHA-256 ${hash}`,
);
