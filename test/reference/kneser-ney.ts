// Modified Kneser-Ney smoothing, interpolated, as formulas (Chen and Goodman 1998, section 3): nothing is pruned or packed.

/** p(token | context) of a model of `order`, estimated from a text. */
export function kneserNey(
  text: readonly number[],
  order: number,
  vocabulary: number,
): (context: readonly number[], token: number) => number {
  /** Occurrences of each gram of a length. */
  const occurrences = (length: number) => {
    const counts = new Map<string, number>();
    for (let i = 0; i + length <= text.length; i++) {
      const key = text.slice(i, i + length).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  };
  /** How many different tokens stand before a gram; of the longest grams, how often they occur. */
  const countsOf = (length: number) => {
    if (length === order) return occurrences(length);
    const counts = new Map<string, number>();
    for (const longer of occurrences(length + 1).keys()) {
      const key = longer.slice(longer.indexOf(',') + 1);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    // Nothing stands before the beginning of the text.
    for (const key of occurrences(length).keys()) if (!counts.has(key)) counts.set(key, 1);
    return counts;
  };
  const levels = Array.from({ length: order }, (_, i) => {
    const counts = countsOf(i + 1);
    const with_ = (k: number) => [...counts.values()].filter((count) => count === k).length;
    const y = with_(1) / (with_(1) + 2 * with_(2));
    const some = with_(1) > 0 && with_(2) > 0 && with_(3) > 0;
    const discount = (count: number) => {
      if (count === 0) return 0;
      const k = Math.min(3, count);
      const own = k - ((k + 1) * y * with_(k + 1)) / with_(k);
      return some && own > 0 && own < k ? own : k / 2;
    };
    return { counts, discount };
  });
  return function probability(context, token): number {
    const length = context.length;
    const shorter = length === 0 ? 1 / vocabulary : probability(context.slice(1), token);
    const { counts, discount } = levels[length] as (typeof levels)[number];
    const continuations = Array.from(
      { length: vocabulary },
      (_, id) => counts.get([...context, id].join()) ?? 0,
    );
    const total = continuations.reduce((sum, count) => sum + count, 0);
    if (total === 0) return shorter;
    const taken = continuations.reduce((sum, count) => sum + discount(count), 0);
    const own = continuations[token] as number;
    return (own - discount(own)) / total + (taken / total) * shorter;
  };
}
