/** Phrases to listen for, as clients of other services send them: with figures and signs, which the model may not be able to spell. */
import type { BoostPhrase, Model } from '../index.js';
import { checkBoost } from '../model/boost.js';
import { canSpell } from '../model/boost-tree.js';

/** Those that the model can spell: the others are no reason to refuse a client. @throws {@link ArgumentError} for what is no phrase. */
export function spellable({ info }: Model, phrases: readonly BoostPhrase[]): BoostPhrase[] {
  checkBoost(phrases);
  return phrases.filter(({ phrase }) => canSpell(info.vocabulary, phrase));
}
