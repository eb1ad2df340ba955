/**
 * The work of `parakeet transcribe`: its inputs, and the names of their transcripts. Impossible work is reported here, before a model is
 * loaded; one invalid input does not keep the others from being transcribed.
 */
import { fstatSync, type Stats } from 'node:fs';
import { access, constants, mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { ArgumentError, WriteError } from '../errors.js';
import { writeError } from '../sinks/destination.js';
import { FORMATS, type OutputFormat } from '../sinks/formats.js';
import type { Values } from './cli-option.js';
import { checkDistinct, type Output, outputsOf } from './output.js';
import type { Context } from './program.js';
import { fillTemplate, templateFields } from './template.js';
import { UsageError } from './usage-error.js';

/** One input and where its transcripts go. */
export interface Job {
  input: string;
  outputs: Output[];
}

export interface Plan {
  jobs: Job[];
  /** Existing transcripts, with --no-clobber. */
  passedOver: string[];
}

/** True for an input that is downloaded instead of opened. */
export const isUrl = (input: string): boolean => /^https?:\/\//i.test(input);

/**
 * @param fail Called for each input that cannot be transcribed.
 * @throws {@link UsageError} for names that fit no input.
 */
export async function planJobs(
  inputs: string[],
  values: Values,
  given: Context['given'],
  fail: (input: string, error: unknown) => void,
): Promise<Plan> {
  const plan: Plan = { jobs: [], passedOver: [] };
  const recordings = await Promise.all(
    inputs.map((input) => (input === '-' ? stdinIdentity() : identity(input))),
  );
  for (const { input, outputs } of await nameOutputs(inputs, values, given)) {
    try {
      await checkReadable(input);
      const kept: Output[] = [];
      for (const output of outputs) {
        if (values.clobber === false && (await exists(output.file))) plan.passedOver.push(output.file);
        else kept.push(output);
      }
      for (const { file } of kept) {
        await mustNotBe(file, recordings);
        await checkWritable(file);
      }
      if (kept.length > 0) plan.jobs.push({ input, outputs: kept });
    } catch (error) {
      fail(input, error);
    }
  }
  return plan;
}

async function nameOutputs(inputs: string[], values: Values, given: Context['given']): Promise<Job[]> {
  for (const input of inputs) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(input) && !isUrl(input))
      throw new UsageError(`Expected a file or an http(s) URL but received ${input}`);
  }
  if (inputs.filter((input) => input === '-').length > 1)
    throw new UsageError('Expected - (stdin) once but received it twice');
  const format = values.outputFormat as OutputFormat | 'all';
  const named = values.output as string[] | undefined;
  if (!named) return fromTemplate(inputs, format, values);
  // whisper's -o names a folder.
  const [folder] = named;
  if (named.length === 1 && folder !== undefined && (await isFolder(folder)))
    return fromTemplate(inputs, format, { ...values, outputDir: folder });
  return explicit(inputs, named, format, given('outputFormat'));
}

async function isFolder(name: string): Promise<boolean> {
  if (/[/\\]$/.test(name)) return true;
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The outputs of `-o`. */
function explicit(
  inputs: string[],
  named: string[],
  format: OutputFormat | 'all',
  formatIsGiven: boolean,
): Job[] {
  if (formatIsGiven && format === 'all')
    throw new UsageError('Expected one format with --output but --output-format says all');
  const outputs = outputsOf(named, format === 'all' ? undefined : format, formatIsGiven);
  checkDistinct(outputs);
  if (inputs.length > 1) {
    // Lines of text and of JSON can follow each other; subtitles and documents start over.
    const joinable = outputs.every(({ file, format }) => file === '-' && /^(txt|jsonl)$/.test(format));
    if (!joinable) {
      throw new UsageError(
        'Expected one input with --output (or -f txt or jsonl with --output -). For several: --output-dir and --output-template',
      );
    }
  }
  return inputs.map((input) => ({ input, outputs }));
}

/** The outputs by --output-dir, --output-template and --output-format. */
function fromTemplate(inputs: string[], format: OutputFormat | 'all', values: Values): Job[] {
  const formats = format === 'all' ? FORMATS : [format];
  const now = new Date();
  const taken = new Map<string, string>();
  return inputs.map((input, index) => {
    const base = fillTemplate(values.outputTemplate as string, templateFields(input, index, now));
    const outputs = formats.map((format) => {
      const file = path.join(path.isAbsolute(base) ? '' : (values.outputDir as string), `${base}.${format}`);
      const other = taken.get(path.resolve(file));
      if (other !== undefined) {
        throw new UsageError(
          `Expected a different name for each transcript but ${other} and ${input} both give ${file}. ` +
            'Put {index} or {parent} into --output-template',
        );
      }
      taken.set(path.resolve(file), input);
      return { file, format };
    });
    return { input, outputs };
  });
}

async function checkReadable(input: string): Promise<void> {
  if (input === '-' || isUrl(input)) return;
  const found = await stat(input);
  if (found.isDirectory()) {
    throw new ArgumentError('Expected a sound file but it is a folder');
  }
  await access(input, constants.R_OK);
}

const exists = async (file: string): Promise<boolean> =>
  file !== '-' &&
  (await stat(file).then(
    () => true,
    () => false,
  ));

/** Identifies a file: two names of one file have the same identity. */
async function identity(file: string): Promise<string | undefined> {
  return idOf(await stat(file).catch(() => undefined));
}

/** The same for the file that the shell has opened with `<`. */
function stdinIdentity(): string | undefined {
  try {
    return idOf(fstatSync(0));
  } catch {
    return undefined; // closed
  }
}

function idOf(found: Stats | undefined): string | undefined {
  return found?.isFile() ? `${found.dev}:${found.ino}` : undefined;
}

async function mustNotBe(file: string, recordings: readonly (string | undefined)[]): Promise<void> {
  const id = file === '-' ? undefined : await identity(file);
  if (id === undefined || !recordings.includes(id)) return;
  throw new WriteError(
    'ERR_PARAKEET_WRITE',
    `Expected another name for the transcript: ${file} is a recording, which would be lost. Use --output-dir or --output-template`,
  );
}

/** Whether the transcript can be written, without touching existing files. */
async function checkWritable(file: string): Promise<void> {
  if (file === '-') return;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const found = await stat(file).catch(() => undefined);
    if (found && !found.isFile() && !found.isDirectory()) return;
    // Nothing is created yet: a signal at this point would leave an empty transcript.
    if (!found) return await access(path.dirname(file), constants.W_OK);
    const handle = await open(file, 'r+');
    await handle.close();
  } catch (error) {
    throw writeError(file, error);
  }
}
