/**
 * A recording that fits into one window, from samples to its result, without streams: for thousands of short ones, the streams would cost
 * more than a GPU. The events are those that the stream would send, from the same parts.
 */
import { throwIfAborted } from '../abort.js';
import { mustBeFinite } from '../audio/samples.js';
import { publish, type StreamMessage } from '../diagnostics.js';
import { AudioError } from '../errors.js';
import type { TranscriptResult } from '../events.js';
import { calibrationOf, resolveDecoding } from '../model/decoding.js';
import { decodingFor } from '../model/default-decoding.js';
import { settleSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { eventsOfWindows } from '../recordings/window-events.js';
import { planWindows } from '../recordings/window-plan.js';
import { hearWindow } from '../recordings/window-tokens.js';
import { CALIBRATED, MEASURED } from '../text/confidence.js';
import { SentenceEvents } from '../text/sentence-events.js';
import { nextTurn, turnIsOver } from '../transforms/pace.js';
import type { TranscriptionOptions } from './options.js';
import { Outlet, resultOf } from './outlet.js';

/**
 * The transcript of mono samples at the model's rate; undefined where it takes more than one window, or a stage that is a stream only.
 *
 * @param options Checked, of mode `'file'`.
 * @param onProgress Called with the times of `progress` events.
 * @throws what `parakeet` fails with, as a rejection.
 */
export async function transcribeOneWindow(
  model: LoadedModel,
  samples: Float32Array,
  options: TranscriptionOptions,
  onProgress: (time: number) => void,
): Promise<TranscriptResult | undefined> {
  const { info } = model;
  const plan = planWindows(info, options.windows, settleSilence(options.silence), options.language);
  const isStreamOnly = options.speakers !== undefined || options.text === 'written';
  if (samples.length === 0 || samples.length > plan.window || isStreamOnly) return undefined;

  const wanted = decodingFor(info, options.decoding, { mode: 'file' });
  const calibrated = calibrationOf(info, options.decoding) !== undefined;
  const rule = calibrated ? CALIBRATED : MEASURED;
  const sentences = new SentenceEvents(options.sentences ?? {}, options.utterances, rule);
  const outlet = new Outlet(options);
  const decoding = resolveDecoding(info, wanted);
  publish('stream', (): StreamMessage => ({ state: 'open' }));
  let failure: Error | undefined;
  try {
    const hearing = { plan, decoding, last: true, signal: options.signal };
    const heard = await hearWindow(model, samples, hearing);
    // The results of a large batch come all at once.
    if (turnIsOver()) await nextTurn();
    throwIfAborted(options.signal);

    for (const event of eventsOfWindows(model, { plan, decoding: wanted }, samples.length, [heard])) {
      for (const spoken of sentences.take(event)) {
        for (const sent of outlet.pass(spoken, Number.POSITIVE_INFINITY))
          if (sent.type === 'progress') onProgress(sent.time);
      }
    }
    return resultOf(outlet.end);
  } catch (error) {
    // The engine has found that they are not finite; this says which one.
    if (error instanceof AudioError) mustBeFinite(samples, model.sampleRate);
    failure = error as Error;
    throw error;
  } finally {
    publish('stream', (): StreamMessage => ({ state: 'closed', ...(failure && { error: failure }) }));
  }
}
