/** Names of recordings as people write them: paths, patterns, addresses. */
import { existsSync } from 'node:fs';
import { glob, isDynamicPattern } from 'tinyglobby';
import { ArgumentError } from '../errors.js';
import { isRemote } from './source/content.js';

/**
 * The recordings of a list of names, patterns replaced by the files that they fit, in order.
 *
 * @throws {@link ArgumentError} for a pattern that no file fits, as a rejection.
 *
 * @example
 * ```js
 * import { expandSources } from 'parakeet-stream/many';
 *
 * for await (const source of expandSources(['*.flac', 'https://example.org/talk.wav'])) console.log(source);
 * ```
 */
export async function* expandSources(
  names: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<string> {
  for await (const name of names) {
    // A file may well be called "talk [1].wav".
    if (isRemote(name) || existsSync(name) || !isDynamicPattern(name)) {
      yield name;
      continue;
    }
    const files = await glob(name, { onlyFiles: true, absolute: true, expandDirectories: false });
    if (files.length === 0)
      throw new ArgumentError(`Expected files that fit ${name} but there are none. Check the pattern.`);
    yield* files.sort();
  }
}
