// The option `speakers`: what is refused, and the labels of channels.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSpeakers, labelsOf, MOST_SPEAKERS, type Speakers } from '../../src/composition/speakers.js';
import { ArgumentError, AudioError } from '../../src/errors.js';
import { parakeet } from '../../src/parakeet.js';
import { fakeModel } from '../support/fake-native.js';

const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: MOST_SPEAKERS });

describe('the option', () => {
  test.each([undefined, 'channels', { channels: ['Anna'] }, { channels: ['Anna', 'Ben'] }] as const)(
    '%j is taken',
    (speakers) => {
      expect(() => checkSpeakers(speakers)).not.toThrow();
    },
  );

  test.each([
    ['voices', /'channels', or \{ channels: names \}, for speakers but received 'voices'/],
    [null, /for speakers but received null/],
    [2, /for speakers but received 2/],
    [['Anna', 'Ben'], /an object/],
    [{}, /1 to 16 different names for speakers\.channels but received undefined/],
    [{ channels: 'Anna' }, /different names/],
    [{ channels: [] }, /different names/],
    [{ channels: ['Anna', ''] }, /different names/],
    [{ channels: ['Anna', 'Anna'] }, /different names/],
    [{ channels: ['Anna', 2] }, /different names/],
    [{ channels: Array.from({ length: 17 }, (_, i) => `${i}`) }, /different names/],
    [{ channels: ['Anna'], names: [] }, /only channels/],
  ])('%j is refused where it was passed', (speakers, message) => {
    const open = () => parakeet({ model: fakeModel(), speakers: speakers as Speakers });
    expect(open).toThrow(ArgumentError);
    expect(open).toThrow(message);
  });
});

describe('the labels', () => {
  test('are numbers from 1 without names', () => {
    expect(labelsOf('channels', 3)).toEqual(['channel 1', 'channel 2', 'channel 3']);
    expect(labelsOf('channels', 1)).toEqual(['channel 1']);
  });

  test('are the names, one for each channel', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: MOST_SPEAKERS }), (channels, count) => {
        if (channels.length === count) expect(labelsOf({ channels }, count)).toEqual(channels);
        else expect(() => labelsOf({ channels }, count)).toThrow(ArgumentError);
      }),
    );
    expect(() => labelsOf({ channels: ['Anna', 'Ben'] }, 1)).toThrow(
      /a name for each channel for speakers\.channels but received 2 for audio of 1 channel$/,
    );
  });

  test('are at most 16', () => {
    expect(labelsOf('channels', 16)).toHaveLength(16);
    expect(() => labelsOf('channels', 17)).toThrow(AudioError);
  });
});
