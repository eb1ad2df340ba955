/** Live transcripts that can be moved: their options, a new one, and one that goes on from a snapshot. The stream itself is in movable-stream.ts. */
import type { LoadedModel } from '../model/loaded-model.js';
import { finite, flag, integer, known } from '../options.js';
import type { UtteranceOptions } from '../text/endpointer.js';
import { SentenceEvents } from '../text/sentence-events.js';
import {
  MovableStream,
  type MovedState,
  readMoved,
  type StreamSnapshot,
  soundBefore,
} from './movable-stream.js';
import { type LiveOptions, startLive } from './open-live.js';

/** Options of {@link movableStream}. */
export interface MovableOptions extends Omit<LiveOptions, 'from' | 'draftModel'> {
  /** Samples per second of the sound: mono, 16 bits, little-endian. */
  sampleRate: number;
  /**
   * When an utterance is over.
   * @defaultValue false
   */
  utterances?: UtteranceOptions | boolean | undefined;
  /**
   * Send `draft` events.
   * @defaultValue true
   */
  drafts?: boolean | undefined;
  /**
   * Seconds that are added to the times of all events, at least 0.
   * @defaultValue 0
   */
  offset?: number | undefined;
}

/**
 * Makes a live transcript that can be moved. Write sound, read events; `end()` makes the rest final.
 *
 * @throws {@link ArgumentError} for invalid options.
 *
 * @example
 * ```js
 * import { loadModel, movableStream } from 'parakeet-stream';
 *
 * const model = await loadModel();
 * const stream = movableStream(model, { sampleRate: 16_000 });
 * stream.end(Buffer.alloc(32_000)); // a second of silence
 * for await (const event of stream) console.log(event.type);
 * await model.close();
 * ```
 */
export function movableStream(model: LoadedModel, options: MovableOptions): MovableStream {
  const {
    sampleRate,
    utterances = false,
    drafts = true,
    offset = 0,
    ...live
  } = known('movableStream', options, KEYS);
  const state: MovedState = {
    sampleRate: integer('sampleRate', sampleRate, 1000, 1_000_000),
    bytes: 0,
    progress: 0,
    revision: 0,
    said: 0,
    sentences: new SentenceEvents(live.sentences ?? {}, utterances).state,
    options: {
      sentences: live.sentences ?? {},
      utterances,
      drafts: flag('drafts', drafts),
      offset: finite('offset', offset, 0),
    },
  };
  return new MovableStream(model, startLive(model, live, useOf(state)), state, 0, options.signal);
}

/** Its events are all that anybody wants of it. */
const useOf = ({ options: { drafts } }: MovedState) => ({ drafts, result: false });

const KEYS = [
  'latency',
  'language',
  'decoding',
  'sentences',
  'silence',
  'normalization',
  'lagPolicy',
  'signal',
  'sampleRate',
  'utterances',
  'drafts',
  'offset',
] as const;

/**
 * Goes on from a snapshot of {@link MovableStream.snapshot}: the sound from `soundFrom` on is to be written first, as it was.
 *
 * @throws {@link SavedStateError} `ERR_PARAKEET_INVALID_SNAPSHOT` for bytes that are no snapshot, or another model's.
 *
 * @example
 * ```js
 * import { loadModel, moveStream, movableStream } from 'parakeet-stream';
 *
 * const model = await loadModel();
 * const sound = Buffer.alloc(64_000);
 * const first = movableStream(model, { sampleRate: 16_000 });
 * first.write(sound.subarray(0, 32_000));
 * const { bytes, soundFrom } = await first.snapshot();
 * first.destroy();
 * const second = moveStream(model, bytes);
 * second.end(sound.subarray(soundFrom));
 * for await (const event of second) console.log(event.type);
 * ```
 */
export function moveStream(
  model: LoadedModel,
  snapshot: StreamSnapshot['bytes'],
  { signal }: { signal?: AbortSignal | undefined } = {},
): MovableStream {
  const { state, live } = readMoved(snapshot);
  return new MovableStream(
    model,
    startLive(model, { from: live, signal }, useOf(state)),
    state,
    soundBefore(state),
    signal,
  );
}
