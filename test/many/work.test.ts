/** Windows that workers transcribe apart, in any order, through JSON: the transcript is to the last bit that of one machine. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel, type Model, srtWriter } from '../../src/index.js';
import type { HeardRecording, StoredWindow } from '../../src/many/heard.js';
import type { RecordingJob, RecordingPlan } from '../../src/many/recording.js';
import { render } from '../../src/many/render.js';
import { Work } from '../../src/many/work.js';
import { writeSpeech } from '../support/long-recording.js';

let model: Model;
let folder: string;
beforeAll(async () => {
  model = await loadModel(undefined, { dtype: 'float32' });
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-many-'));
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const jobOf = (source: string, more: Partial<RecordingJob> = {}): RecordingJob => ({
  source,
  hearing: { windows: { duration: 6, overlap: 1.5 } },
  sentences: { maxDuration: 4, maxGap: 0.6 },
  collect: true,
  force: false,
  mixed: false,
  ...more,
});

/** Transcribed by two workers that take turns, the last window first. */
async function byWorkers(job: RecordingJob): Promise<{ plan: RecordingPlan; heard: HeardRecording }> {
  const workers = [new Work(model), new Work(model)] as const;
  try {
    const plan = throughJson(await workers[0].plan(throughJson(job), undefined));
    const windows: StoredWindow[] = [];
    for (let window = plan.windows - 1; window >= 0; window--) {
      const worker = workers[window % 2 === 0 ? 0 : 1];
      windows[window] = throughJson(await worker.hear(throughJson(job), plan, window, undefined));
    }
    return { plan, heard: { samples: plan.samples, windows } };
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

test.each([
  ['read by ranges', 'mono.wav', 16_000, 1],
  ['decoded to a file', 'stereo.wav', 22_050, 2],
] as const)('a recording that is %s', async (_, name, rate, channels) => {
  const file = path.join(folder, name);
  await writeSpeech(file, { rate, channels });
  const job = jobOf(file);
  const { plan, heard } = await byWorkers(job);
  expect(plan.windows).toBeGreaterThan(4);
  const srt = path.join(folder, 'one.srt');
  const { hearing, sentences } = job;
  const one = await model.transcribe(file, { ...hearing, sentences, sink: srtWriter(srt) });
  const delivery = { to: folder, files: [{ name: 'talk.srt', format: 'srt' as const }] };
  const { result, files } = await render(model, { ...job, delivery }, heard);
  expect(result).toEqual(one);
  expect(result.tokens.length).toBeGreaterThan(50);
  expect(Buffer.from(files[0]?.bytes ?? []).toString()).toBe(readFileSync(srt, 'utf8'));
});
