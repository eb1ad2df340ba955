// Frames that make no step due wait outside the engine: whatever is asked of it finds them there all the same.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NativeEncoder, NativeEncoderOptions } from '../../src/engine/addon.js';
import { logMel } from '../reference/mel.js';
import type { FrameToken } from '../reference/transducer.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { frameTokens } from '../support/native-stream.js';
import { testSignal } from '../support/signals.js';

let golden: NativeGolden;
beforeAll(async () => {
  golden = await loadNativeGolden('tdt');
});
afterAll(() => golden.native.close());

const options: NativeEncoderOptions = {
  chunk: 10,
  lookahead: 5,
  context: [-1, -1],
  cache: 40,
  normalization: 'running',
  emissionDelay: 4,
  hangover: 80,
  gate: false,
  history: 2000,
  grow: 1,
  recall: [-1, -1],
};

/** Steps as long as one is due, then frames that make none due: 25 in pieces of five. */
async function pushAll(encoder: NativeEncoder): Promise<void> {
  const { data: values, rows } = logMel(testSignal(), golden.reference.mel);
  const data = Float32Array.from(values);
  const features = data.length / rows;
  const decoder = golden.native.createDecoder({ head: golden.head });
  const upTo = 160;
  let ticket = await encoder.step(data.slice(0, upTo * features));
  for (; ticket !== null; ticket = await encoder.step()) await decoder.decode(encoder, ticket.ticket, false);
  for (let row = upTo; row < upTo + 25; row += 5) {
    const more = await encoder.step(data.slice(row * features, (row + 5) * features));
    expect(more).toBeNull();
  }
  await decoder.close();
}

async function heardAgain(encoder: NativeEncoder): Promise<FrameToken[]> {
  const decoder = golden.native.createDecoder({ head: golden.head });
  const tokens = await decoder.hearAgain(encoder, 0, 23);
  await decoder.close();
  return frameTokens(tokens);
}

let expected: FrameToken[];
beforeAll(async () => {
  const encoder = golden.native.createEncoder(options);
  await pushAll(encoder);
  await encoder.finish(0); // the engine gets all that was pushed
  expected = await heardAgain(encoder);
  expect(expected.at(-1)?.start).toBeGreaterThan(19);
  await encoder.close();
});

test('what is heard again reaches to the last of them', async () => {
  const encoder = golden.native.createEncoder(options);
  await pushAll(encoder);
  expect(await heardAgain(encoder)).toEqual(expected);
  await encoder.close();
});

test('a snapshot has them', async () => {
  const first = golden.native.createEncoder(options);
  const second = golden.native.createEncoder(options);
  await pushAll(first);
  await pushAll(second);
  await second.load(await first.save());
  expect(await heardAgain(second)).toEqual(expected);
  await Promise.all([first.close(), second.close()]);
});
