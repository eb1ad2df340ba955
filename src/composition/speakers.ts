/** The option `speakers`: its check, and the labels of the channels. */
import { AudioError } from '../errors.js';
import { expected, known, received } from '../options.js';

/** Whose voice is in which channel. */
export type Speakers = 'channels' | { channels: readonly string[] };

/** Each channel costs as much as a stream. */
export const MOST_SPEAKERS = 16;

/** @throws {@link ArgumentError} */
export function checkSpeakers(speakers: Speakers | undefined): void {
  if (speakers === undefined || speakers === 'channels') return;
  if (typeof speakers !== 'object' || speakers === null)
    throw expected("'channels', or { channels: names },", 'speakers', speakers);
  const { channels } = known('speakers', speakers, ['channels']);
  const isName = (name: unknown) => typeof name === 'string' && name !== '';
  if (
    !Array.isArray(channels) ||
    channels.length < 1 ||
    channels.length > MOST_SPEAKERS ||
    !channels.every(isName) ||
    new Set(channels).size < channels.length
  ) {
    throw expected(`1 to ${MOST_SPEAKERS} different names`, 'speakers.channels', channels);
  }
}

/**
 * The label of each channel: `channel 1`, `channel 2` …, or the given names.
 *
 * @throws {@link ArgumentError} for another number of names. @throws {@link AudioError} for too many channels.
 */
export function labelsOf(speakers: Speakers | undefined, count: number): string[] {
  if (count > MOST_SPEAKERS) {
    throw new AudioError(
      'ERR_PARAKEET_UNSUPPORTED_FORMAT',
      `Expected at most ${MOST_SPEAKERS} channels for speakers: 'channels' but received ${count}. Leave speakers out to mix them.`,
    );
  }
  if (typeof speakers !== 'object')
    return Array.from({ length: count }, (_, index) => `channel ${index + 1}`);
  const { channels } = speakers;
  if (channels.length === count) return [...channels];
  const description = `${channels.length} for audio of ${count} channel${count === 1 ? '' : 's'}`;
  throw received('a name for each channel', 'speakers.channels', description);
}
