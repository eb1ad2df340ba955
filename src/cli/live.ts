/**
 * `parakeet live`: captions of the sound on stdin, and a transcript file that grows with them.
 */
import { PassThrough, type Writable } from 'node:stream';
import { AudioError } from '../errors.js';
import type { ParakeetOptions } from '../parakeet.js';
import type { SessionOptions } from '../session/format.js';
import { recordSession, type SessionRecorder } from '../session/recorder.js';
import { captionWriter } from '../sinks/caption-writer.js';
import { teeWriter } from '../sinks/tee-writer.js';
import { type MicOptions, mic } from '../sources/mic.js';
import type { Latency } from '../streaming-options.js';
import { transcribe } from '../transcribe.js';
import type { AudioFormat } from '../transforms/decode.js';
import { onInterrupt } from './interrupt.js';
import { decodingOptions, modelOptions, sentenceOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import type { Parsed } from './options.js';
import { formatOf, outputSink } from './output.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function live({ values, positionals }: Parsed, terminal: Terminal): Promise<number> {
  if (positionals.length > 1 || (positionals.length === 1 && positionals[0] !== '-')) {
    throw new UsageError(
      `Expected no file but received ${positionals.join(' ')}: live reads stdin. For files use parakeet transcribe`,
    );
  }
  const file = values.get('output') as string | undefined;
  const format = file === undefined ? undefined : formatOf(file);
  const { name, options } = modelOptions(values);

  const record = values.get('record') as string | undefined;
  const sinks: Writable[] = [captionWriter(terminal.stdout)];
  if (file !== undefined && format !== undefined) {
    sinks.push(outputSink(file, format, { highlightWords: values.get('highlight-words') === true }));
  }

  // Ctrl-C ends the sound, so that what was heard is still put into words; a second one stops at once.
  const microphone = values.get('mic') === true ? mic(micOptions(values)) : undefined;
  const source = microphone ?? new PassThrough();
  const interrupt = onInterrupt(terminal, () => {
    if (source instanceof PassThrough) {
      terminal.stdin.unpipe(source);
      source.end();
    } else source.stop();
  });
  if (source instanceof PassThrough) {
    terminal.stdin.on('error', (error) => source.destroy(error));
    terminal.stdin.pipe(source);
  }
  try {
    const decoding = await decodingOptions(values);
    let recorder: SessionRecorder | undefined;
    const model = await loadShown(name, { ...options, signal: interrupt.signal }, terminal);
    try {
      const stream: SessionOptions = {
        ...sentenceOptions(values),
        ...decoding,
        ...inputFormat(values),
        latency: values.get('latency') as Latency,
        refine: values.get('refine') === true,
        silenceGate: values.get('silence-gate') === true,
        collect: false,
      };
      if (record !== undefined) {
        const { identity, info } = model;
        recorder = await recordSession(record, { name: name ?? null, dtype: info.dtype, identity }, stream);
        sinks.push(recorder.sink);
        source.on('error', (error) => recorder?.input.destroy(error));
        source.pipe(recorder.input);
      }
      await transcribe(recorder?.input ?? source, teeWriter(...sinks), {
        ...stream,
        model,
        signal: interrupt.signal,
      });
    } finally {
      await recorder?.close();
      await model.close();
    }
    return interrupt.count > 0 ? 130 : 0;
  } catch (error) {
    // A sound that Ctrl-C cut in the middle of a sample is no broken sound.
    if (interrupt.count > 0 && error instanceof AudioError) return 130;
    throw error;
  } finally {
    interrupt.dispose();
    microphone?.destroy();
    if (source instanceof PassThrough) terminal.stdin.unpipe(source);
    // A terminal or a pipe that nobody reads any more must not keep the process alive.
    terminal.stdin.destroy();
  }
}

function micOptions(values: Parsed['values']): MicOptions {
  const device = values.get('device') as string | undefined;
  if (device === undefined) return {};
  return { device: /^\d+$/.test(device) ? Number(device) : device };
}

/** Raw PCM carries no rate of its own; the other formats do. What bears no mark is what ffmpeg and arecord give to a pipe: s16le. */
function inputFormat(
  values: Parsed['values'],
): Pick<ParakeetOptions, 'format' | 'unmarked' | 'sampleRate' | 'channels'> {
  if (values.get('mic') === true) return {};
  const format = values.get('format') as AudioFormat;
  if (format === 'wav' || format === 'flac') return { format };
  return {
    format,
    ...(format === 'auto' && { unmarked: 's16le' }),
    sampleRate: values.get('rate') as number,
    channels: values.get('channels') as number,
  };
}
