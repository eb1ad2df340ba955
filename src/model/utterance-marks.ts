/**
 * Tokens by which some models say that somebody has finished: `<EOU>`, the end of an utterance, and `<EOB>`, the end of a backchannel, a
 * short "uh-huh" that takes no turn. They become events and are never text.
 */
import type { BackchannelEvent, EndOfUtteranceEvent, Token } from '../events.js';

/** Follows the final tokens of one transcript. */
export class UtteranceMarks {
  readonly #endOfUtterance: number | undefined;
  readonly #backchannel: number | undefined;
  #first: Token | undefined;
  #last: Token | undefined;

  /** `vocabulary`: of the model; without the marks in it, no token is one. */
  constructor(vocabulary: readonly string[]) {
    const find = (piece: string) => (vocabulary.includes(piece) ? vocabulary.indexOf(piece) : undefined);
    this.#endOfUtterance = find('<EOU>');
    this.#backchannel = find('<EOB>');
  }

  /** Whether a token is a mark. */
  isMark({ id }: Token): boolean {
    return id === this.#endOfUtterance || id === this.#backchannel;
  }

  /** The event that the next final token stands for; undefined for a token of the text. */
  event(token: Token): EndOfUtteranceEvent | BackchannelEvent | undefined {
    if (!this.isMark(token)) {
      this.#first ??= token;
      this.#last = token;
      return undefined;
    }
    const { start } = this.#first ?? token;
    const { end } = this.#last ?? token;
    this.#first = undefined;
    this.#last = undefined;
    return token.id === this.#backchannel
      ? { type: 'backchannel', start, end }
      : { type: 'endOfUtterance', start, end, reason: 'model' };
  }
}
