/** One file of a client: waits for its turn, is transcribed as its bytes come, and stops when nobody wants the result. */
import { type Readable, Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import {
  AbortedError,
  type BoostPhrase,
  type InputOptions,
  type Sentence,
  ServerError,
  type TranscriptEvent,
  transcribe,
} from '../../index.js';
import type { ServerContext } from '../context.js';
import { spellable } from '../phrases.js';

/**
 * Windows in which a file is transcribed. Shorter than the library's: the steps of live transcripts wait for a window that runs, and its text
 * comes sooner.
 */
const WINDOWS = { duration: 30, overlap: 5 };

/** What is transcribed, and how. */
export interface FileJob {
  protocol: string;
  source: Readable;
  input: InputOptions;
  boost: readonly BoostPhrase[];
  /** Each channel is transcribed on its own, as one speaker. */
  separate?: boolean;
  /** Words as they become final, while the file still comes: as a live stream does. Otherwise window by window. */
  onToken?: ((text: string) => Promise<void>) | undefined;
  /** Aborted when nobody waits for the result. */
  signal: AbortSignal;
}

/** What a file says. */
export interface FileTranscript {
  text: string;
  /** With `separate`, each has its `speaker`. */
  sentences: Sentence[];
  /** With `separate`, those of the channels, in their order. */
  speakers: string[];
  /** Seconds of sound. */
  duration: number;
}

/**
 * Rejects with `ERR_PARAKEET_SERVER_BUSY` without room, `ERR_PARAKEET_SERVER_LIMIT` for more sound than is allowed, the signal's reason, and
 * as `transcribe`.
 */
export async function runFile(
  job: FileJob,
  { admission, model, metrics, settings }: ServerContext,
): Promise<FileTranscript> {
  const release = await admission.file(job.signal);
  const limit = new AbortController();
  const signal = AbortSignal.any([job.signal, limit.signal]);
  const transcript: FileTranscript = { text: '', sentences: [], speakers: [], duration: 0 };
  const take = async (event: TranscriptEvent) => {
    if (event.type === 'sentence') {
      const { sentence, speaker } = event;
      transcript.sentences.push(speaker === undefined ? sentence : { ...sentence, speaker });
    }
    if (event.type === 'left') transcript.speakers.push(event.speaker);
    if (event.type === 'progress' && event.time > settings.maxDuration)
      limit.abort(tooLong(settings.maxDuration));
    if (event.type === 'end')
      transcript.duration = event.stats.audioSeconds / Math.max(1, transcript.speakers.length);
    if (event.type === 'token' && event.token.text !== '') await job.onToken?.(event.token.text);
  };
  metrics.fileOpened(job.protocol);
  try {
    await transcribe(job.source, {
      model,
      input: { ...job.input, maxSpool: settings.maxSpool },
      decoding: { boost: spellable(model, job.boost) },
      ...(job.separate && { speakers: 'channels' }),
      collect: false,
      signal,
      sink: new Writable({
        objectMode: true,
        write: (event: TranscriptEvent, _, callback) => take(event).then(() => callback(), callback),
      }),
      ...(job.onToken
        ? { mode: 'live', latency: 'accurate', drafts: false }
        : { mode: 'file', windows: WINDOWS }),
    });
  } catch (error) {
    // Why it was aborted is the reason that the client understands.
    throw signal.aborted ? signal.reason : error;
  } finally {
    job.source.destroy();
    release();
    metrics.fileClosed(transcript.duration);
  }
  transcript.speakers.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  transcript.text = transcript.sentences.map(({ text }) => text).join(' ');
  return transcript;
}

/** Aborted when the client goes away before its answer is complete, or the server must have stopped. */
export function clientSignal({ raw }: FastifyReply, { stopped }: ServerContext): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new AbortedError('The client has gone'));
  });
  return AbortSignal.any([gone.signal, stopped]);
}

function tooLong(seconds: number): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected at most ${seconds} s of sound but received more.`,
  );
}
