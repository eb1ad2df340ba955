// What decodes where the caller says nothing: the rule, and that every way to transcribe keeps to it.
import { createReadStream } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/load-model.js';
import type { DecodingOptions } from '../../src/model/decoding.js';
import { decodingFor } from '../../src/model/default-decoding.js';
import { transcribe } from '../../src/transcribe.js';
import { decode } from '../../src/transforms/decode.js';
import { resample } from '../../src/transforms/resample.js';
import { goldenFolder } from '../support/goldens.js';

const BUNDLED = { device: 'cpu', usesLanguageModel: true } as const;
const FILE = { mode: 'file' } as const;
const ACCURATE = { type: 'beam', lm: true };

describe('the default', () => {
  test('is a beam with the language model where the text is to be right', () => {
    expect(decodingFor(BUNDLED, undefined, FILE)).toEqual(ACCURATE);
    expect(decodingFor(BUNDLED, {}, FILE)).toEqual(ACCURATE);
    expect(decodingFor(BUNDLED, undefined, { mode: 'live', latency: 'accurate' })).toEqual(ACCURATE);
    expect(decodingFor(BUNDLED, { confidence: 'margin' }, FILE)).toEqual({
      ...ACCURATE,
      confidence: 'margin',
    });
    expect(decodingFor(BUNDLED, { boost: [], type: undefined }, FILE)).toEqual({ ...ACCURATE, boost: [] });
  });

  test('is greedy for other streams, other models and GPUs', () => {
    for (const latency of ['low', 'balanced', undefined, { lookahead: 2 }] as const)
      expect(decodingFor(BUNDLED, undefined, { mode: 'live', latency })).toBeUndefined();
    expect(decodingFor({ ...BUNDLED, device: 'gpu' }, undefined, FILE)).toBeUndefined();
    expect(decodingFor({ ...BUNDLED, usesLanguageModel: false }, undefined, FILE)).toBeUndefined();
    expect(decodingFor({ device: 'cpu' }, undefined, FILE)).toBeUndefined();
  });

  const said: DecodingOptions[] = [
    { type: 'greedy' },
    { type: 'beam' },
    { lm: false },
    { head: 'ctc' },
    { boost: [{ phrase: 'Elinor' }] },
    { firstUppercase: 2 },
  ];
  test.each(said)('adds nothing to %j', (decoding) => {
    expect(decodingFor(BUNDLED, decoding, FILE)).toBe(decoding);
  });
});

async function samplesOf(file: URL): Promise<Float32Array> {
  const pieces: number[] = [];
  for await (const { channels } of createReadStream(file).pipe(decode()).pipe(resample(16_000)))
    pieces.push(...(channels[0] ?? []));
  return Float32Array.from(pieces);
}

describe('the bundled model', () => {
  const file = new URL('../audio/sense_and_sensibility_01_austen_64kb-0870.flac', import.meta.url);

  test('transcribes so, in every way, and live only with latency accurate', async () => {
    await using model = await loadModel();
    expect(model.info.usesLanguageModel).toBe(true);
    const texts = async (decoding?: DecodingOptions) => [
      (await model.transcribe(file, { decoding })).text,
      (await model.transcribe(file, { mode: 'live', latency: 'accurate', decoding })).text,
      (await model.transcribe(file, { mode: 'live', latency: 'balanced', decoding })).text,
    ];
    const [whole, accurate, balanced] = await texts();
    const [greedyWhole, greedyAccurate, greedyBalanced] = await texts({ type: 'greedy' });
    const [beamWhole, beamAccurate] = await texts({ type: 'beam', lm: true });
    expect([whole, accurate, balanced]).toEqual([beamWhole, beamAccurate, greedyBalanced]);
    expect([greedyWhole, greedyAccurate]).not.toEqual([whole, accurate]);
    expect((await texts({ lm: false }))[0]).toBe(greedyWhole);
    expect((await transcribe(file, { model })).text).toBe(beamWhole);
    const mel = await model.computeLogMel(await samplesOf(file));
    const low = (await model.generate(mel)).text;
    expect(low).toBe((await model.generate(mel, { decoding: { type: 'greedy' } })).text);
    const live = async (decoding?: DecodingOptions) => {
      const transcript = model.live({ latency: 'accurate', decoding });
      await transcript.addAudio(await samplesOf(file));
      return (await transcript.finish()).text;
    };
    expect(await live()).toBe(await live({ type: 'beam', lm: true }));
  });

  test('copied or another model, it is greedy', async () => {
    await using model = await loadModel(goldenFolder('tdt'));
    expect(model.info.usesLanguageModel).toBeUndefined();
  });
});
