/** Fields and sessions as they are read: prompts, settings in both forms, and whatever else may stand there. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { phrasesOfPrompt } from '../../../../src/server/protocols/openai/form.js';
import {
  defaultConfig,
  describeOlderSession,
  describeSession,
  updateOlderSession,
  updateSession,
  utterancesOf,
} from '../../../../src/server/protocols/openai/realtime/session-config.js';
import type { Message } from '../../../../src/server/sockets/messages.js';

describe('a prompt', () => {
  test.each([
    ['ZyntriQix, Digique Plus,CynapseFive', ['ZyntriQix', 'Digique Plus', 'CynapseFive']],
    ['Kubernetes; etcd.\nHelm', ['Kubernetes', 'etcd', 'Helm']],
    ['The transcript is about OpenAI which makes technology like DALL·E', []],
    ['', []],
    [' , ;; ', []],
    ['a, a, a', ['a']],
  ])('%j', (prompt, phrases) => {
    expect(phrasesOfPrompt(prompt).map(({ phrase }) => phrase)).toEqual(phrases);
  });

  test('of any length has at most 200 phrases', () => {
    expect(phrasesOfPrompt(Array.from({ length: 1000 }, (_, i) => `name ${i}`).join(',')).length).toBe(200);
  });
});

describe('a session', () => {
  const start = defaultConfig('m');

  test('described and read again is the same, in both forms', () => {
    const turns = fc.option(
      fc.record({
        type: fc.constantFrom('server_vad', 'semantic_vad'),
        silence_duration_ms: fc.integer({ min: 0, max: 10_000 }),
        threshold: fc.double({ min: 0, max: 1, noNaN: true }),
        prefix_padding_ms: fc.integer({ min: 0, max: 10_000 }),
      }),
    );
    const config = fc.record({
      format: fc.constantFrom('audio/pcm', 'audio/pcmu', 'audio/pcma'),
      model: fc.string(),
      language: fc.constantFrom('en', 'de'),
      prompt: fc.string(),
      turns,
    });
    fc.assert(
      fc.property(config, (given) => {
        const settings = given as typeof start;
        expect(updateSession(start, describeSession('s', settings) as Message)).toEqual(settings);
        const { id: _, object: __, ...older } = describeOlderSession('s', settings) as Message;
        expect(updateOlderSession(start, older)).toEqual(settings);
      }),
    );
  });

  test('without a field keeps what it was', () => {
    const set = updateSession(start, {
      audio: { input: { transcription: { prompt: 'x' }, turn_detection: null } },
    });
    expect(updateSession(set, {})).toEqual(set);
    expect(updateSession(set, { audio: { input: { transcription: null } } })).toEqual(set);
  });

  test('ends an utterance after its silence, but not between any two words', () => {
    const behind = (silence_duration_ms: number) =>
      utterancesOf(updateSession(start, { audio: { input: { turn_detection: { silence_duration_ms } } } }));
    expect(behind(700)).toEqual({ maxGap: 0.7, maxGapAfterPunctuation: 0.5 });
    expect(behind(0)).toEqual({ maxGap: 0.16, maxGapAfterPunctuation: 0.16 });
    expect(utterancesOf({ ...start, turns: null })).toBe(false);
  });

  test('of any value is read or refused, and never changed in place', () => {
    const before = structuredClone(start);
    const keys = [
      'type',
      'audio',
      'input',
      'format',
      'rate',
      'transcription',
      'turn_detection',
      'input_audio_format',
    ];
    const value = fc.object({ key: fc.constantFrom(...keys), maxDepth: 4 });
    fc.assert(
      fc.property(value, fc.boolean(), (session, older) => {
        try {
          (older ? updateOlderSession : updateSession)(start, session as Message);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_PARAKEET_SERVER_PROTOCOL' });
        }
        expect(start).toEqual(before);
      }),
    );
  });
});
