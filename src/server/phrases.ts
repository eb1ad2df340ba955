/** Phrases to listen for, as clients of other services send them: with figures and signs, which the model may not be able to spell. */
import type { BoostPhrase, Model } from '../index.js';
import { checkBoost } from '../model/boost.js';
import { canSpell } from '../model/boost-tree.js';

/** The weight of a phrase that has none. The server decodes greedily, which finds more with it than with the library's (docs/decoding.md). */
const WEIGHT = 8;

/** Those that the model can spell: the others are no reason to refuse a client. @throws {@link ArgumentError} for what is no phrase. */
export function spellable({ info }: Model, phrases: readonly BoostPhrase[]): BoostPhrase[] {
  checkBoost(phrases);
  const known = phrases.filter((one) => canSpell(info.vocabulary, one));
  return known.map((one) => ({ ...one, weight: one.weight ?? WEIGHT }));
}
