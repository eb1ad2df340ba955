/**
 * `parakeet transcribe`: one transcript file (or several formats of it) for each sound file. The work is the library's;
 * here are names, order, progress and messages.
 */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isAbort, ParakeetError } from '../errors.js';
import type { TranscriptEvent, TranscriptResult } from '../events.js';
import type { Model } from '../model/model.js';
import { formatTimestamp } from '../sinks/format.js';
import { describe } from './describe.js';
import { onInterrupt } from './interrupt.js';
import { decodingOptions, excerptOptions, modelOptions, sentenceOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import { FORMATS, type OutputFormat, type Parsed } from './options.js';
import { outputSink } from './output.js';
import { ProgressBar } from './progress.js';
import { fillTemplate, templateFields } from './template.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

/** One input and the files that will hold its transcript. */
interface Job {
  input: string;
  outputs: { file: string; format: OutputFormat }[];
}

export async function transcribe({ values, positionals }: Parsed, terminal: Terminal): Promise<number> {
  const jobs = await plan(positionals, values);
  const decoding = await decodingOptions(values);
  const log =
    values.get('verbose') === true ? (text: string) => terminal.stderr.write(`${text}\n`) : () => {};
  const interrupt = onInterrupt(terminal);
  const bar = new ProgressBar(terminal.stderr);
  let failed = 0;
  try {
    const { name, options } = modelOptions(values);
    log(`Loading model ${name ?? '(bundled)'}`);
    const model = await loadShown(name, { ...options, signal: interrupt.signal }, terminal);
    try {
      for (const [index, job] of jobs.entries()) {
        bar.update(index / jobs.length, path.basename(job.input));
        try {
          const result = await work(job, index);
          if (values.get('verbose') === true) describeResult(result);
        } catch (error) {
          // Of a recording that is cut short, or that was interrupted, what was heard is kept.
          if (error instanceof ParakeetError && error.heard) await write(error.heard, job);
          if (isAbort(error)) throw error;
          failed++;
          bar.clear();
          terminal.stderr.write(`parakeet: ${job.input}: ${describe(error)}\n`);
        }
      }
    } finally {
      await model.close();
    }

    async function work(job: Job, index: number): Promise<TranscriptResult> {
      const result = await hear(model, job, (done) =>
        bar.update((index + done) / jobs.length, path.basename(job.input)),
      );
      await write(result, job);
      return result;
    }

    async function write(result: TranscriptResult, job: Job): Promise<void> {
      bar.clear();
      for (const output of job.outputs) {
        await mkdir(path.dirname(output.file), { recursive: true });
        await writeResult(result, output, values.get('highlight-words') === true);
        terminal.stdout.write(`${output.file}\n`);
      }
    }
  } finally {
    bar.clear();
    interrupt.dispose();
  }
  return failed === 0 ? 0 : 1;

  function hear(model: Model, job: Job, onProgress: (done: number) => void): Promise<TranscriptResult> {
    const side = values.get('local-attention-context-size') as number;
    const chunk = values.get('chunk-duration') as number;
    return model.transcribe(job.input === '-' ? terminal.stdin : job.input, {
      ...sentenceOptions(values),
      ...excerptOptions(values),
      ...decoding,
      chunkDuration: chunk === 0 ? null : chunk,
      overlapDuration: values.get('overlap-duration') as number,
      ...(values.get('attention') === 'local' ? { localAttention: [side, side] as const } : {}),
      signal: interrupt.signal,
      onProgress: ({ processed, total }) => onProgress(total === 0 ? 1 : processed / total),
    });
  }

  function describeResult(result: TranscriptResult): void {
    for (const { start, end, confidence, text } of result.sentences) {
      log(
        `[${formatTimestamp(start)} --> ${formatTimestamp(end)}] ${(100 * confidence).toFixed(0)} % ${text}`,
      );
    }
  }
}

/** Checks inputs and names before anything is loaded. */
async function plan(inputs: string[], values: Parsed['values']): Promise<Job[]> {
  if (inputs.length === 0) throw new UsageError('Expected at least one sound file, or - for stdin');
  const format = values.get('output-format') as OutputFormat | 'all';
  const formats = format === 'all' ? FORMATS : [format];
  const now = new Date();
  const taken = new Map<string, string>();
  const jobs: Job[] = [];
  for (const [index, input] of inputs.entries()) {
    await checkReadable(input);
    const base = fillTemplate(values.get('output-template') as string, templateFields(input, index, now));
    const outputs = formats.map((format) => ({
      file: path.join(path.isAbsolute(base) ? '' : (values.get('output-dir') as string), `${base}.${format}`),
      format,
    }));
    for (const { file } of outputs) {
      const other = taken.get(path.resolve(file));
      if (other !== undefined) {
        throw new UsageError(
          `Expected another name for each transcript but ${other} and ${input} both give ${file}. ` +
            'Put {index} or {parent} into --output-template',
        );
      }
      taken.set(path.resolve(file), input);
    }
    jobs.push({ input, outputs });
  }
  return jobs;
}

async function checkReadable(input: string): Promise<void> {
  if (input === '-') return;
  const found = await stat(input).catch((error: NodeJS.ErrnoException) => error.code ?? 'unreadable');
  if (typeof found === 'string')
    throw new UsageError(`Expected a sound file but received ${input} (${found})`);
  if (found.isDirectory()) throw new UsageError(`Expected a sound file but received the folder ${input}`);
}

/** Writes a transcript that is complete through the sink of its format. */
async function writeResult(
  result: TranscriptResult,
  { file, format }: Job['outputs'][number],
  highlightWords: boolean,
): Promise<void> {
  const events = result.sentences.map(
    (sentence) => ({ type: 'sentence', sentence }) satisfies TranscriptEvent,
  );
  await pipeline(Readable.from(events), outputSink(file, format, { highlightWords }));
}
