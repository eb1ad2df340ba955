/**
 * `parakeet live`: captions of the sound on stdin or of a microphone, and transcripts that grow with them.
 */
import { stat } from 'node:fs/promises';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { AudioFormat, InputOptions } from '../audio/input-options.js';
import type { ParakeetOptions } from '../composition/options.js';
import type { TranscriptProgress } from '../composition/transcribe-source.js';
import { AudioError, WriteError } from '../errors.js';
import type { Latency } from '../model/latency.js';
import type { Model } from '../model.js';
import { audioPath, type SessionOptions } from '../session/format.js';
import { openSession, recordSession, type SessionRecorder } from '../session/recorder.js';
import type { OutputFormat } from '../sinks/formats.js';
import type { Sink } from '../sinks/sink.js';
import { teeWriter } from '../sinks/tee-writer.js';
import { type MicOptions, type Microphone, mic } from '../sources/mic.js';
import { transcribe } from '../transcribe.js';
import { captions } from './captions.js';
import type { Values } from './cli-option.js';
import { decodingOptions, loadOptions, sentenceOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import { checkDistinct, type Output, outputSink, outputsOf, subtitleOptions } from './output.js';
import type { Context } from './program.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function live(args: string[], values: Values, context: Context): Promise<number> {
  const { terminal, ending } = context;
  const outputs = plan(args, values, terminal);
  const { signal } = ending;
  const decoding = await decodingOptions(values, context.said);
  // Before the model: an output that cannot be written should be reported at once, not after minutes.
  const files = await openOutputs(outputs, values, terminal);
  let input: LiveInput | undefined;
  let recorder: SessionRecorder | undefined;
  try {
    const stream: SessionOptions = {
      mode: 'live',
      sentences: sentenceOptions(values),
      text: values.text as 'spoken' | 'written',
      decoding,
      input: inputFormat(values),
      latency: values.latency as Latency,
      language: values.language as string | undefined,
      refine: values.refine === true,
      silence: { gate: values.silenceGate === true },
      collect: false,
      offset: Math.max(0, ...files.map(({ continuesAt }) => continuesAt)),
    };
    const record = values.record as string | undefined;
    const session = record === undefined ? undefined : await openSession(record);
    try {
      // The microphone records while the model loads.
      input = values.mic === true ? new MicInput(values) : new PipeInput(terminal.stdin);
      const name = values.model as string | undefined;
      const quiet = values.quiet === true;
      const load = { ...loadOptions(values), signal };
      const model = await loadShown(name, load, terminal, quiet);
      let draftModel: Model | undefined;
      try {
        if (values.draftModel !== undefined)
          draftModel = await loadShown(values.draftModel as string, load, terminal, quiet);
        if (session) {
          const { identity, info } = model;
          const recorded = { name: name ?? null, dtype: info.dtype, identity };
          recorder = await recordSession(session, recorded, stream);
        }
        const sinks: Writable[] = [...files, ...(recorder ? [recorder.sink] : [])];
        if (!quiet) {
          const toStderr = outputs.some(({ file }) => file === '-');
          sinks.push(captions(toStderr ? terminal.stderr : terminal.stdout));
        }
        await hear(input, recorder, teeWriter(...sinks), { ...stream, model, draftModel, signal }, context);
      } finally {
        await Promise.all([model.close(), draftModel?.close()]);
      }
    } finally {
      await (recorder ?? session)?.close();
    }
    return 0;
  } catch (error) {
    // Sound that the request to end has cut off in the middle of a sample is not broken.
    if (ending.code !== undefined && error instanceof AudioError) return 0;
    throw error;
  } finally {
    ending.onFirst(undefined);
    for (const file of files) file.destroy();
    input?.dispose();
    // A terminal or a pipe without a reader must not keep the process alive.
    terminal.stdin.destroy();
  }
}

/** The first request to end ends the sound, so that all of it is still transcribed; a second one stops at once. */
async function hear(
  input: LiveInput,
  recorder: SessionRecorder | undefined,
  sink: Writable,
  options: ParakeetOptions,
  { ending }: Context,
): Promise<void> {
  // It may have failed while the model was loaded.
  if (input.sound.errored) throw input.sound.errored;
  ending.onFirst(() => input.end());
  if (recorder) {
    input.sound.on('error', (error) => recorder.input.destroy(error));
    input.sound.pipe(recorder.input);
  }
  let heard = false;
  const onProgress = ({ seconds }: TranscriptProgress) => {
    heard ||= seconds > 0;
  };
  await transcribe(recorder?.input ?? input.sound, { ...options, sink, onProgress });
  // Probably the program before the pipe has failed. Ending it before the first sound is no error.
  if (!heard && ending.code === undefined)
    throw new AudioError('ERR_PARAKEET_INVALID_AUDIO', 'Expected sound but there are no samples in it');
}

/** Where live sound comes from. */
interface LiveInput {
  readonly sound: Readable;
  /** Ends the sound; what came so far is transcribed. */
  end(): void;
  dispose(): void;
}

class MicInput implements LiveInput {
  readonly sound: Microphone;

  constructor({ device }: Values) {
    const options: MicOptions = {};
    if (typeof device === 'string') options.device = /^\d+$/.test(device) ? Number(device) : device;
    this.sound = mic(options);
    this.sound.on('error', () => {});
  }

  end(): void {
    this.sound.stop();
  }

  dispose(): void {
    this.sound.destroy();
  }
}

class PipeInput implements LiveInput {
  readonly sound = new PassThrough();

  constructor(private readonly stdin: NodeJS.ReadStream) {
    this.sound.on('error', () => {});
    stdin.on('error', (error) => this.sound.destroy(error));
    stdin.pipe(this.sound);
  }

  end(): void {
    this.stdin.unpipe(this.sound);
    this.sound.end();
  }

  dispose(): void {
    this.stdin.unpipe(this.sound);
    this.sound.destroy();
  }
}

/** Checks what can be checked without opening anything. */
function plan(args: string[], values: Values, { stdin }: Terminal): Output[] {
  const [input, ...more] = args;
  if (more.length > 0 || (input !== undefined && input !== '-')) {
    throw new UsageError(
      `Expected no file but received ${args.join(' ')}: live reads stdin. For files: parakeet transcribe`,
    );
  }
  const isMic = values.mic === true;
  if (isMic && input === '-')
    throw new UsageError('Expected either --mic or -, for stdin, but received both');
  if (!isMic && stdin.isTTY) {
    throw new UsageError(
      'Expected sound on stdin, which is a terminal. Use --mic for a microphone, or a pipe: ffmpeg … | parakeet live',
    );
  }
  const files = (values.output ?? []) as string[];
  const format = values.outputFormat as OutputFormat | undefined;
  const outputs = outputsOf(files, format, format !== undefined);
  checkDistinct(outputs);
  if (outputs.length === 0 && values.quiet === true)
    throw new UsageError('Expected --output with --quiet: there would be nothing to see');
  return outputs;
}

/** Opens every output; if one cannot be opened, none stays open. */
async function openOutputs(outputs: Output[], values: Values, { stdout }: Terminal): Promise<Sink[]> {
  const append = values.append === true;
  const record = values.record as string | undefined;
  if (values.overwrite !== true) {
    if (!append)
      for (const { file } of outputs) await mustBeNew(file, '--append to continue it, or --overwrite');
    if (record !== undefined)
      for (const file of [record, audioPath(record)]) await mustBeNew(file, '--overwrite');
  }
  const sinks: Sink[] = [];
  try {
    for (const output of outputs) {
      const isFile = output.file !== '-';
      const sink = outputSink(output, stdout, { append: append && isFile }, subtitleOptions(values));
      sinks.push(sink);
      // A later write reports the error too.
      sink.on('error', () => {});
      await sink.ready();
    }
  } catch (error) {
    for (const sink of sinks) sink.destroy();
    throw error;
  }
  return sinks;
}

async function mustBeNew(file: string, remedy: string): Promise<void> {
  const found = file === '-' ? undefined : await stat(file).catch(() => undefined);
  if (!found?.isFile() || found.size === 0) return;
  throw new WriteError(
    'ERR_PARAKEET_WRITE',
    `Expected a new file but ${file} is already there. Use ${remedy} to replace it`,
  );
}

/**
 * Raw PCM carries no rate of its own; the other formats do. Bytes without a signature are what ffmpeg and arecord write to a pipe: s16le.
 */
function inputFormat(values: Values): InputOptions {
  if (values.mic === true) return {};
  const format = values.format as AudioFormat;
  if (format === 'wav' || format === 'flac') return { format };
  return {
    format,
    ...(format === 'auto' && { unmarked: 's16le' }),
    sampleRate: values.rate as number,
    channels: values.channels as number,
  };
}
