/**
 * `parakeet enqueue`: an archive into a queue, or through this process. The library does the work; this file handles names, progress and
 * messages.
 */
import { createInterface } from 'node:readline';
import type { AudioFormat, InputOptions } from '../audio/input-options.js';
import { isAbort } from '../errors.js';
import {
  expandSources,
  localQueue,
  type ManyProgress,
  redisQueue,
  type TranscribeManyOptions,
  type TranscriptionQueue,
  transcribeMany,
} from '../many/index.js';
import { handIn } from '../many/transcribe-many.js';
import { FORMATS, type OutputFormat } from '../sinks/formats.js';
import type { Values } from './cli-option.js';
import { describe } from './describe.js';
import { decodingOptions, loadOptions, pick, sentenceOptions, windowOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import { isPcm } from './options.js';
import { subtitleOptions } from './output.js';
import type { Context } from './program.js';
import { clock, ProgressBar } from './progress.js';
import { fillTemplate, templateFields } from './template.js';
import { UsageError } from './usage-error.js';

export async function enqueue(inputs: string[], values: Values, context: Context): Promise<number> {
  const options = await manyOptions(values, context.said);
  const sources = expandSources(namesOf(inputs, context));
  return values.redis === undefined
    ? transcribeHere(sources, values, options, context)
    : handOver(sources, values, options, context);
}

/** The names, with those on stdin in the place of `-`. */
async function* namesOf(inputs: string[], { terminal }: Context): AsyncGenerator<string> {
  if (inputs.includes('-') && terminal.stdin.isTTY)
    throw new UsageError('Expected names of recordings on stdin, which is a terminal');
  for (const input of inputs) {
    if (input !== '-') yield input;
    else for await (const line of createInterface({ input: terminal.stdin })) if (line !== '') yield line;
  }
}

async function transcribeHere(
  sources: AsyncIterable<string>,
  values: Values,
  options: TranscribeManyOptions,
  context: Context,
): Promise<number> {
  const { terminal, ending } = context;
  const { signal } = ending;
  const quiet = values.quiet === true;
  const name = values.model as string | undefined;
  const model = await loadShown(name, { ...loadOptions(values), signal }, terminal, quiet);
  const journal = options.outputs && isFolder(options.outputs.to) ? options.outputs.to : undefined;
  const queue = localQueue({ model, journal, attempts: values.attempts as number });
  try {
    ending.onFirst(() => queue.stop());
    return await transcribeShown(sources, { ...options, queue, signal }, values, context);
  } finally {
    ending.onFirst(undefined);
    await queue.close();
    await model.close();
  }
}

async function handOver(
  sources: AsyncIterable<string>,
  values: Values,
  options: TranscribeManyOptions,
  context: Context,
): Promise<number> {
  const { signal } = context.ending;
  const queue = redisQueue({
    url: values.redis as string,
    name: values.queue as string,
    attempts: values.attempts as number,
  });
  try {
    if (values.wait === true)
      return await transcribeShown(sources, { ...options, queue, signal }, values, context);
    return await handInAll(sources, queue, { ...options, signal }, values, context);
  } finally {
    await queue.close();
  }
}

async function handInAll(
  sources: AsyncIterable<string>,
  queue: TranscriptionQueue,
  options: TranscribeManyOptions,
  values: Values,
  { terminal, ending }: Context,
): Promise<number> {
  let [count, failed] = [0, 0];
  for await (const { source, error } of handIn(sources, { ...options, queue })) {
    if (ending.code !== undefined) break;
    if (error) {
      failed++;
      terminal.stderr.write(`parakeet: ${source}: ${describe(error)}\n`);
    } else count++;
  }
  if (values.quiet !== true) terminal.stdout.write(`${count} recordings are in the queue ${values.queue}\n`);
  return failed === 0 ? 0 : 1;
}

/** Shows the progress, and prints what became of each recording. */
async function transcribeShown(
  sources: AsyncIterable<string>,
  options: TranscribeManyOptions,
  values: Values,
  { terminal, ending }: Context,
): Promise<number> {
  const quiet = values.quiet === true;
  const bar = new ProgressBar(terminal.stderr, quiet);
  let failed = 0;
  const onProgress = ({ done, taken, found, audioSeconds }: ManyProgress) =>
    bar.update(done / taken, `${done} of ${taken}, ${found} found, ${clock(audioSeconds)} of sound`);
  for await (const { source, status, outputs, error } of transcribeMany(sources, {
    ...options,
    onProgress,
  })) {
    // What was stopped is left for the next time.
    if (error && isAbort(error) && ending.code !== undefined) continue;
    bar.clear();
    if (error) {
      failed++;
      terminal.stderr.write(`parakeet: ${source}: ${describe(error)}\n`);
    } else if (!quiet) {
      if (status === 'found' && values.verbose === true)
        terminal.stderr.write(`parakeet: ${source} was transcribed before\n`);
      for (const output of outputs) terminal.stdout.write(`${output}\n`);
    }
  }
  bar.clear();
  return failed === 0 ? 0 : 1;
}

async function manyOptions(values: Values, said: Context['said']): Promise<TranscribeManyOptions> {
  const format = values.format as AudioFormat;
  const raw = isPcm(format) ? { sampleRate: values.rate as number, channels: values.channels as number } : {};
  const input: InputOptions = {
    ...pick<InputOptions>(values, ['track', 'start', 'duration']),
    ...(format !== 'auto' && { format }),
    ...raw,
  };
  const wanted = values.outputFormat as OutputFormat | 'all';
  const now = new Date();
  return {
    ...(Object.keys(input).length > 0 && { input }),
    language: values.language as string | undefined,
    decoding: await decodingOptions(values, said),
    sentences: sentenceOptions(values),
    windows: windowOptions(values),
    order: 'done',
    force: values.force === true,
    mixed: values.mixed === true,
    outputs: {
      to: (values.webhook ?? values.outputDir) as string,
      formats: wanted === 'all' ? FORMATS : [wanted],
      name: (source, index) =>
        fillTemplate(values.outputTemplate as string, templateFields(source, index, now)),
      subtitles: subtitleOptions(values),
    },
  };
}

const isFolder = (place: string): boolean => !/^[a-z0-9]+:\/\//i.test(place);
