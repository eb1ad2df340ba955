/** The words of a transcript beside what was really said: how sure the model was of each, and whether it is right. */
import type { Token } from '../events.js';
import { spokenOf } from '../text/confidence.js';
import { runsOf } from '../text/words.js';
import { plainWords, rightWords } from '../verify/word-error-rate.js';
import type { MeasuredWord } from './fit.js';

/** Case and punctuation do not count. A word with a hyphen is right if all its parts are. */
export function measuredWords(tokens: readonly Token[], said: string): MeasuredWord[] {
  const heard = runsOf(tokens).flatMap((run) => {
    const parts = plainWords(run.map(({ text }) => text).join(''));
    return parts.length === 0 ? [] : [{ parts, values: spokenOf(run).map(({ confidence }) => confidence) }];
  });
  const right = rightWords(
    plainWords(said),
    heard.flatMap(({ parts }) => parts),
  );
  let at = 0;
  return heard.map(({ parts, values }) => {
    const from = at;
    at += parts.length;
    return { values, right: right.slice(from, at).every((one) => one) };
  });
}
