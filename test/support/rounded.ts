/** Tokens without what depends on the batch that they were computed in: streams that run together round differently from one alone. */
export function rounded<T extends { confidence: number }>(tokens: readonly T[] | undefined): T[] | undefined {
  return tokens?.map((token) => ({ ...token, confidence: Math.round(token.confidence * 1e4) }));
}
