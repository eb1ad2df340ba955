/**
 * `parakeet transcribe`: transcripts of sound files, one after the other. The library does the work; this file handles names, order,
 * progress and messages.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { AudioFormat, InputOptions } from '../audio/input-options.js';
import type { ParakeetOptions } from '../composition/options.js';
import type { TranscriptProgress } from '../composition/transcribe-source.js';
import { AudioError } from '../errors.js';
import { calibrationOf } from '../model/decoding.js';
import { formatTimestamp } from '../sinks/format.js';
import type { Sink } from '../sinks/sink.js';
import { teeWriter } from '../sinks/tee-writer.js';
import type { AudioSource } from '../sources/audio-source.js';
import { ffmpeg } from '../sources/ffmpeg.js';
import { ruleOf } from '../text/confidence.js';
import { transcribe as transcribeFile } from '../transcribe.js';
import type { Values } from './cli-option.js';
import { describe } from './describe.js';
import { isUrl, type Job, planJobs } from './jobs.js';
import { decodingOptions, loadOptions, pick, sentenceOptions, windowOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import { isPcm } from './options.js';
import { outputSink, subtitleOptions } from './output.js';
import type { Context } from './program.js';
import { AudioProgress, ProgressBar } from './progress.js';
import { type TranscriptListeners, TranscriptSink } from './transcript-sink.js';
import { UsageError } from './usage-error.js';

export async function transcribe(inputs: string[], values: Values, context: Context): Promise<number> {
  const { terminal, ending } = context;
  const quiet = values.quiet === true;
  const bar = new ProgressBar(terminal.stderr, quiet);
  const say = (text: string) => {
    bar.clear();
    terminal.stderr.write(`${text}\n`);
  };
  let failed = 0;
  const fail = (input: string, error: unknown) => {
    failed++;
    say(`parakeet: ${input}: ${describe(error)}`);
  };
  if (inputs.includes('-') && terminal.stdin.isTTY) {
    throw new UsageError(
      'Expected sound on stdin, which is a terminal. Name a file, or use a pipe: ffmpeg … | parakeet transcribe -',
    );
  }
  const decoding = await decodingOptions(values, context.said);
  const { jobs, passedOver } = await planJobs(inputs, values, context.given, fail);
  if (!quiet) for (const file of passedOver) say(`parakeet: ${file} is already there: kept`);
  if (jobs.length === 0) return failed === 0 ? 0 : 1;

  const { signal } = ending;
  const name = values.model as string | undefined;
  if (values.verbose === true) say(`Loading model ${name ?? '(bundled)'}`);
  const model = await loadShown(name, { ...loadOptions(values), signal }, terminal, quiet);
  try {
    const options: ParakeetOptions = {
      sentences: sentenceOptions(values),
      text: values.text as 'spoken' | 'written',
      speakers: values.speakers as ParakeetOptions['speakers'],
      decoding,
      language: values.language as string | undefined,
      windows: windowOptions(values),
      collect: false,
      model,
      signal,
    };
    for (const [index, job] of jobs.entries()) {
      const place = jobs.length > 1 ? ` (${index + 1} of ${jobs.length})` : '';
      try {
        await work(job, `${path.basename(job.input)}${place}`, options);
      } catch (error) {
        if (ending.code !== undefined) throw error;
        fail(job.input, error);
      }
    }
  } finally {
    bar.clear();
    await model.close();
    // A pipe without a reader must not keep the process alive.
    if (inputs.includes('-')) terminal.stdin.destroy();
  }
  return failed === 0 ? 0 : 1;

  async function work(job: Job, label: string, options: ParakeetOptions): Promise<void> {
    const progress = new AudioProgress(bar, label);
    const listeners: TranscriptListeners = {
      onSentence: ({ start, end, confidence, text }) => {
        if (values.verbose !== true) return;
        const span = `${formatTimestamp(start)} --> ${formatTimestamp(end)}`;
        say(`[${span}] ${(100 * confidence).toFixed(0)} % ${text}`);
      },
    };
    const rule = ruleOf(calibrationOf(model.info, decoding));
    const sink = new TranscriptSink(
      () => teeWriter(...job.outputs.map((output) => open(output))),
      listeners,
      rule,
    );
    for (const { file } of job.outputs)
      if (file !== '-') await mkdir(path.dirname(file), { recursive: true });
    try {
      const { source, input } = sourceOf(job.input);
      const onProgress = ({ seconds, duration }: TranscriptProgress) => progress.update(seconds, duration);
      await transcribeFile(source, { ...options, input, sink, onProgress });
      if (sink.audioSeconds === 0) {
        throw new AudioError('ERR_PARAKEET_INVALID_AUDIO', 'Expected sound but there are no samples in it');
      }
      await sink.complete();
    } finally {
      sink.destroy();
      await sink.settled;
      bar.clear();
      const toStdout = job.outputs.some(({ file }) => file === '-');
      if (sink.begun && !quiet && !toStdout)
        for (const { file } of job.outputs) terminal.stdout.write(`${file}\n`);
    }
  }

  function open(output: Job['outputs'][number]): Sink {
    return outputSink(output, terminal.stdout, {}, subtitleOptions(values));
  }

  /** A source, and the part of the excerpt that it does not cut out itself. */
  function sourceOf(name: string): { source: AudioSource; input: InputOptions } {
    const excerpt = pick<InputOptions>(values, ['track', 'start', 'duration']);
    if (isUrl(name)) return { source: ffmpeg(name, excerpt), input: {} };
    const format = values.format as AudioFormat;
    const raw = isPcm(format)
      ? { sampleRate: values.rate as number, channels: values.channels as number }
      : {};
    return { source: name === '-' ? terminal.stdin : name, input: { ...excerpt, format, ...raw } };
  }
}
