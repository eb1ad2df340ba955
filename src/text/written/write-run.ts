/** A run of words that have to do with numbers, and what is written for it. */
import { isNumberWord, RULES, type Run, type Written } from './rules.js';

/** From one word to another, and what is written for them; without a text they stay as they are. */
export interface Span {
  from: number;
  end: number;
  text?: string;
}

export function writeRun(run: Run): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < run.words.length; ) {
    const written = firstOf(run, at);
    const end = written?.end ?? behindCluster(run, at);
    spans.push(written ? { from: at, end, text: written.text } : { from: at, end });
    at = end;
  }
  return spans;
}

function firstOf(run: Run, at: number): Written | undefined {
  for (const rule of RULES) {
    const written = rule(run, at);
    if (written) return written;
  }
  return undefined;
}

/** Numbers side by side that no rule can tell apart stay together: "seven eighty". */
function behindCluster({ words }: Run, at: number): number {
  let end = at + 1;
  if (isNumberWord(words[at])) while (isNumberWord(words[end])) end++;
  return end;
}
