/** Transcript events as Deepgram's messages, channels that are split, parameters. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sentence, Token, TranscriptEvent } from '../../../../src/index.js';
import { readParameters } from '../../../../src/server/protocols/deepgram/parameters.js';
import { Results } from '../../../../src/server/protocols/deepgram/results.js';
import { SplitChannels } from '../../../../src/server/protocols/deepgram/split-channels.js';

const token = (text: string, start: number): Token => ({
  id: 1,
  text,
  start,
  end: start + 0.16,
  duration: 0.16,
  confidence: 0.9,
});
const sentence = (tokens: Token[]): Sentence => {
  const text = tokens
    .map((one) => one.text)
    .join('')
    .trim();
  const [first, last] = [tokens[0] as Token, tokens.at(-1) as Token];
  const words = tokens.map(({ text: word, start, end, confidence }) => ({
    text: word.trim(),
    start,
    end,
    confidence,
  }));
  return {
    text,
    start: first.start,
    end: last.end,
    duration: last.end - first.start,
    confidence: 0.9,
    tokens,
    words,
  };
};
const HELLO = [token(' Hello', 1), token(' there.', 1.5)];
const heard = (tokens: Token[]): TranscriptEvent[] => [
  ...tokens.map((one): TranscriptEvent => ({ type: 'token', token: one })),
  { type: 'sentence', sentence: sentence(tokens) },
];
const PROGRESS: TranscriptEvent = { type: 'progress', time: 2 };
const END_OF_UTTERANCE: TranscriptEvent = { type: 'endOfUtterance', start: 1, end: 1.66, reason: 'silence' };
const METADATA = { request_id: 'r', model_uuid: 'm', model_info: { name: 'n', version: 'v', arch: 'a' } };

/** The messages for events, short: their type, flags and text. */
function messages(query: string, events: TranscriptEvent[], finalize = false): string[] {
  const results = new Results(readParameters(`/v1/listen?${query}`), METADATA, 0);
  const all = events.flatMap((event) => [...results.take(event)]);
  if (finalize) all.push(...results.finalized());
  all.push(...results.finish());
  return all.map(({ interim, message }) => {
    const { type, is_final, speech_final, from_finalize, channel } = message as Record<string, unknown> & {
      channel?: { alternatives?: [{ transcript: string }] };
    };
    const flags = [
      is_final && 'final',
      speech_final && 'speech final',
      from_finalize && 'finalized',
      interim && 'interim',
    ];
    return [type, ...flags.filter(Boolean), channel?.alternatives?.[0]?.transcript]
      .filter((part) => part !== undefined)
      .join(' ');
  });
}

describe('results', () => {
  test('a sentence with which the utterance ends is the final of the speech', () => {
    expect(messages('', [...heard(HELLO), END_OF_UTTERANCE])).toEqual([
      'Results final speech final Hello there.',
    ]);
  });

  test('one with which it does not is final at once; the end of the utterance comes later, empty', () => {
    expect(messages('', [...heard(HELLO), PROGRESS, END_OF_UTTERANCE])).toEqual([
      'Results final Hello there.',
      'Results final speech final ',
    ]);
  });

  test('a voice that is heard between a sentence and the end of its utterance does not part them', () => {
    const voice: TranscriptEvent = { type: 'speechStart', time: 3 };
    expect(messages('vad_events=true', [...heard(HELLO), voice, END_OF_UTTERANCE])).toEqual([
      'SpeechStarted',
      'Results final speech final Hello there.',
    ]);
  });

  test('a transcript that breaks off loses no sentence', () => {
    expect(messages('', heard(HELLO))).toEqual(['Results final speech final Hello there.']);
  });

  test('an interim result has the final words that are in no sentence, and the draft', () => {
    const draft: TranscriptEvent = {
      type: 'draft',
      tokens: [token(' the', 1.8), token('re', 1.9)],
      text: 'there',
      revision: 1,
    };
    const events: TranscriptEvent[] = [{ type: 'token', token: HELLO[0] as Token }, draft];
    expect(messages('interim_results=true', events)).toEqual(['Results interim Hello there']);
    expect(messages('', events)).toEqual([]);
  });

  test('UtteranceEnd comes once, when there was no word for long enough', () => {
    const later = (time: number): TranscriptEvent => ({ type: 'progress', time });
    const events = [...heard(HELLO), later(2), later(2.6), later(2.7), later(3), later(9)];
    expect(messages('utterance_end_ms=1000', events)).toEqual(['Results final Hello there.', 'UtteranceEnd']);
    expect(messages('', events)).toEqual(['Results final Hello there.']);
  });

  test('Finalize is answered, with the sentence that it ends or without', () => {
    const flushed: TranscriptEvent = { ...END_OF_UTTERANCE, reason: 'flush' } as TranscriptEvent;
    expect(messages('', [...heard(HELLO), flushed], true)).toEqual([
      'Results final speech final finalized Hello there.',
    ]);
    expect(messages('', [], true)).toEqual(['Results final speech final finalized ']);
  });
});

describe('channels', () => {
  test('are the same whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('s16le', 's32le', 'mulaw'),
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 10 }),
        (channels, encoding, bytes, cuts) => {
          const width = { s16le: 2, s32le: 4, mulaw: 1 }[encoding] as number;
          const split = new SplitChannels(channels, encoding as 's16le');
          const out: Buffer[][] = Array.from({ length: channels }, () => []);
          const edges = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          for (let i = 1; i < edges.length; i++) {
            const parts = split.take(Buffer.from(bytes.subarray(edges[i - 1], edges[i])));
            for (const [channel, part] of parts.entries()) out[channel]?.push(part);
          }
          const whole =
            channels === 1 ? bytes.length : Math.floor(bytes.length / (channels * width)) * channels * width;
          const expected = out.map((_, channel) =>
            [...bytes.subarray(0, whole)].filter(
              (__, at) => channels === 1 || Math.floor(at / width) % channels === channel,
            ),
          );
          expect(out.map((parts) => [...Buffer.concat(parts)])).toEqual(expected);
        },
      ),
    );
  });
});

describe('parameters', () => {
  const read = (query: string) => readParameters(`/v1/listen?${query}`);

  test('endpointing: milliseconds, on, off; a pause between any two words is too short', () => {
    expect(read('endpointing=800').utterances).toEqual({ maxGap: 0.8, maxGapAfterPunctuation: 0.5 });
    expect(read('endpointing=10').utterances).toEqual({ maxGap: 0.16, maxGapAfterPunctuation: 0.16 });
    expect([
      read('endpointing=false').utterances,
      read('endpointing=true').utterances,
      read('').utterances,
    ]).toEqual([false, true, true]);
    expect(() => read('endpointing=soon')).toThrow(/endpointing/);
  });

  test('keyterms and keywords, with their weights', () => {
    expect(read('keyterm=New%20York&keywords=Kubernetes:3.5&keywords=x:99&keyterm=').boost).toEqual([
      { phrase: 'New York' },
      { phrase: 'Kubernetes', weight: 3.5 },
      { phrase: 'x', weight: 20 },
    ]);
  });

  test('whatever the address, it is read or refused', () => {
    const names = [
      'encoding',
      'sample_rate',
      'channels',
      'multichannel',
      'endpointing',
      'utterance_end_ms',
      'keyterm',
      'offset',
      'punctuate',
    ];
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom(...names),
            fc.oneof(fc.string(), fc.constantFrom('true', '8000', 'linear16')),
          ),
        ),
        (pairs) => {
          try {
            read(new URLSearchParams(pairs).toString());
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_PARAKEET_SERVER_PROTOCOL' });
          }
        },
      ),
    );
  });
});
