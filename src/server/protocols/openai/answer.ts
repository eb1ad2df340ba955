/** A transcript in the forms of OpenAI's answers. */
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deflateSync } from 'node:zlib';
import { type Sentence, srtWriter, type TranscriptEvent, vttWriter } from '../../../index.js';
import type { FileTranscript } from '../../files/file-job.js';
import type { ResponseFormat, TranscriptionForm } from './form.js';

const TYPES: Record<ResponseFormat, string> = {
  json: 'application/json; charset=utf-8',
  verbose_json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
};

/** The answer's type and body. */
export async function answerOf(
  transcript: FileTranscript,
  form: TranscriptionForm,
): Promise<{ type: string; body: string }> {
  const { format } = form;
  return { type: TYPES[format], body: await bodyOf(transcript, form) };
}

async function bodyOf(transcript: FileTranscript, form: TranscriptionForm): Promise<string> {
  switch (form.format) {
    case 'text':
      return `${transcript.text}\n`;
    case 'srt':
    case 'vtt':
      return subtitles(transcript.sentences, form.format);
    case 'verbose_json':
      return JSON.stringify(verbose(transcript, form));
    case 'json':
      return JSON.stringify({ text: transcript.text, usage: usageOf(transcript) });
  }
}

/** What OpenAI counts. */
export function usageOf({ duration }: FileTranscript): object {
  return { type: 'duration', seconds: Math.ceil(duration) };
}

function verbose(transcript: FileTranscript, { granularities, language }: TranscriptionForm): object {
  const { text, sentences, duration } = transcript;
  return {
    task: 'transcribe',
    // The model does not say which language it heard.
    language: language ?? 'unknown',
    duration,
    text,
    ...(granularities.includes('segment') && { segments: sentences.map(segmentOf) }),
    ...(granularities.includes('word') && {
      words: sentences.flatMap(({ words }) =>
        words.map(({ text: word, start, end }) => ({ word, start, end })),
      ),
    }),
    usage: usageOf(transcript),
  };
}

/** A sentence as one of whisper's segments. `no_speech_prob` is 0: where nobody speaks there is no sentence. */
function segmentOf({ text, start, end, tokens, confidence }: Sentence, id: number): object {
  return {
    id,
    seek: Math.round(start * 100),
    start,
    end,
    text,
    tokens: tokens.map((token) => token.id),
    temperature: 0,
    avg_logprob: Math.log(Math.max(confidence, 1e-6)),
    compression_ratio: text === '' ? 0 : Buffer.byteLength(text) / deflateSync(text).length,
    no_speech_prob: 0,
  };
}

async function subtitles(sentences: readonly Sentence[], format: 'srt' | 'vtt'): Promise<string> {
  const parts: Buffer[] = [];
  const target = new Writable({
    write(chunk: Buffer, _, callback) {
      parts.push(chunk);
      callback();
    },
  });
  const events = sentences.map((sentence): TranscriptEvent => ({ type: 'sentence', sentence }));
  await pipeline(Readable.from(events), format === 'srt' ? srtWriter(target) : vttWriter(target));
  return Buffer.concat(parts).toString('utf8');
}
