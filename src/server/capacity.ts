/** How many live transcripts this machine holds in real time: measured once, before the server listens. */
import type { Latency, Model } from '../index.js';

/** Streams at once in the measurement: enough for full batches. */
const STREAMS = 16;
/** Seconds of sound of one push. */
const PUSH_SECONDS = 0.64;
/** Seconds of sound before the measurement: as much as the presets look back on, because a step costs more the more it looks back on. */
const PAST_SECONDS = 12;
/** Seconds after which the measurement begins in any case: a slow machine starts too. */
const FILL_LIMIT = 3;
/** Seconds that are measured. */
const MEASURED_SECONDS = 1.5;
/**
 * Share of the throughput that is promised: streams in real time come in smaller batches than streams that wait for nothing, and sockets take
 * compute too (`npm run -s bench:server`).
 */
const PROMISED = 0.6;

/** The number of live transcripts, at least 1. Takes up to five seconds, longer with a model that is slower than real time. */
export async function measureCapacity(
  { model, draftModel }: { model: Model; draftModel?: Model | undefined },
  latency: Latency,
): Promise<number> {
  const sound = noise(Math.round(PUSH_SECONDS * model.sampleRate));
  const streams = Array.from({ length: STREAMS }, () => model.live({ latency, draftModel }));
  try {
    const push = () => Promise.all(streams.map((stream) => stream.addAudio(sound)));
    const start = performance.now();
    const filling = () => performance.now() - start < FILL_LIMIT * 1000;
    // Four pushes at least: the first seconds only fill the lookahead, and no step runs.
    for (let n = 0; n < 4 || (n * PUSH_SECONDS < PAST_SECONDS && filling()); n++) await push();
    const began = performance.now();
    let pushes = 0;
    do {
      await push();
      pushes++;
    } while (performance.now() - began < MEASURED_SECONDS * 1000);
    const elapsed = (performance.now() - began) / 1000;
    const audio = pushes * STREAMS * PUSH_SECONDS;
    return Math.max(1, Math.floor((PROMISED * audio) / elapsed));
  } finally {
    await Promise.all(streams.map((stream) => stream.close()));
  }
}

/** As loud as speech, so that no step is skipped; costs as much as speech, apart from a few tokens. */
function noise(samples: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, i) => 0.1 * Math.sin(0.3 * i + 1e-4 * i * i));
}
