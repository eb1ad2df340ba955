/**
 * The tokens that parakeet-mlx gave for CTC until 0.6.0, from ours: there a blank did not part two equal tokens. The goldens of `ctc_greedy`
 * were made with it.
 */

/** A decoder's token, in frames. */
interface CtcToken {
  id: number;
  start: number;
  duration: number;
  confidence: number;
}

/** Equal tokens that follow each other as one; confidences are means over frames. */
export function joinedAcrossBlanks(tokens: readonly CtcToken[]): CtcToken[] {
  const joined: CtcToken[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    if (last?.id !== token.id) {
      joined.push({ ...token });
      continue;
    }
    const duration = last.duration + token.duration;
    last.confidence = (last.confidence * last.duration + token.confidence * token.duration) / duration;
    last.duration = duration;
  }
  return joined;
}
