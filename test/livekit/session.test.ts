/** A whole agent session of @livekit/agents that listens through our class: transcripts and turns reach the agent's program. */
import { ReadableStream } from 'node:stream/web';
import { initializeLogger, voice } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel } from '../../src/index.js';
import { STT } from '../../src/livekit/index.js';
import type { Model } from '../../src/model.js';
import { samplesOf } from '../support/samples.js';

initializeLogger({ pretty: false, level: 'silent' });

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const RATE = 16_000;
/** Samples of a frame: 10 ms. */
const FRAME = RATE / 100;

/** What a room's track gives: frames, and then silence for as long as it is asked. */
class Track extends voice.AudioInput {
  constructor(samples: Float32Array) {
    super();
    const shorts = Int16Array.from(samples, (x) => Math.round(x * 32_767));
    let at = 0;
    const frames = new ReadableStream<AudioFrame>({
      // Faster than speech, but not so fast that nothing else has its turn.
      async pull(controller) {
        if ((at / FRAME) % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        const data = new Int16Array(FRAME);
        data.set(shorts.subarray(at, at + FRAME));
        at += FRAME;
        controller.enqueue(new AudioFrame(data, RATE, 1, FRAME));
      },
    });
    this.multiStream.addInputStream(frames);
  }
}

test('an agent session hears interim and final transcripts, and the turn', async () => {
  const stt = new STT({ model });
  const session = new voice.AgentSession({ stt, turnDetection: 'stt' });
  const { UserInputTranscribed, UserStateChanged } = voice.AgentSessionEventTypes;
  const transcripts: { transcript: string; isFinal: boolean }[] = [];
  const states: string[] = [];
  session.on(UserInputTranscribed, (event) => transcripts.push(event));
  session.on(UserStateChanged, ({ newState }) => states.push(newState));
  const finalText = () =>
    transcripts.flatMap(({ isFinal, transcript }) => (isFinal ? [transcript] : [])).join(' ');
  session.input.audio = new Track(await samplesOf('jfk.flac'));
  await session.start({ agent: new voice.Agent({ instructions: 'Listen.' }) });
  try {
    await expect.poll(finalText, { timeout: 60_000 }).toMatch(/your country.*for your country/s);
    await expect.poll(() => states.at(-1), { timeout: 60_000 }).toBe('listening');
  } finally {
    await session.close();
    await stt.close();
  }
  expect(transcripts.filter(({ isFinal }) => !isFinal).length).toBeGreaterThan(5);
  // Turns begin and end by turns.
  expect(states.every((state, i) => state === (i % 2 === 0 ? 'speaking' : 'listening'))).toBe(true);
});
