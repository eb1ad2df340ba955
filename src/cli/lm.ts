/**
 * `parakeet lm build|convert`: language models for `--lm`, from text or from other programs' files.
 */
import path from 'node:path';
import { type BuildLanguageModelOptions, buildLanguageModel } from '../lm/build.js';
import { type ConvertLanguageModelOptions, convertLanguageModel } from '../lm/convert.js';
import type { TextSource } from '../lm/text.js';
import type { Values } from './cli-option.js';
import { pick } from './library-options.js';
import type { Context } from './program.js';
import { UsageError } from './usage-error.js';

export async function build(texts: string[], values: Values, context: Context): Promise<number> {
  const { signal } = context.ending;
  const options = pick<BuildLanguageModelOptions>(values, ['model', 'order', 'size', 'cacheDir']);
  const target = targetOf(texts, values);
  const sources = texts.map((text) => source(text, context));
  const built = await buildLanguageModel(sources, target, { ...options, signal });
  const skipped =
    built.skipped > 0 ? `, ${built.skipped} words left out that the vocabulary cannot spell` : '';
  return print(values, context, { file: target, ...built }, `${built.words} words${skipped}`);
}

export async function convert(files: string[], values: Values, context: Context): Promise<number> {
  const { signal } = context.ending;
  const options = pick<ConvertLanguageModelOptions>(values, ['model', 'tokens', 'cacheDir']);
  const target = targetOf(files, values);
  const made = await convertLanguageModel(source(files[0] ?? '-', context), target, { ...options, signal });
  return print(values, context, { file: target, ...made }, `order ${made.grams.length}`);
}

function source(name: string, { terminal }: Context): TextSource {
  return name === '-' ? terminal.stdin : name;
}

function targetOf([first = '-']: string[], values: Values): string {
  if (typeof values.output === 'string') return values.output;
  if (first === '-') throw new UsageError('Expected --output FILE for text from stdin');
  return `${path.parse(first).name}.lm`;
}

function print(
  { json }: Values,
  { terminal }: Context,
  result: { file: string; bytes: number; grams: number[] },
  about: string,
): number {
  const size = `${(result.bytes / 1e6).toFixed(2)} MB`;
  const grams = result.grams.map((count, i) => `${count} of ${i + 1}`).join(', ');
  terminal.stdout.write(
    json === true ? `${JSON.stringify(result)}\n` : `${result.file}  ${size}  ${about}; grams: ${grams}\n`,
  );
  return 0;
}
