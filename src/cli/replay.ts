/**
 * `parakeet replay`: runs a recorded session again and reports where its events differ.
 */
import { type ReplayResult, readSession, replaySession } from '../session/replay.js';
import type { Values } from './cli-option.js';
import { describe } from './describe.js';
import { loadOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import type { Context } from './program.js';

export async function replay(
  [file = '']: string[],
  values: Values,
  { terminal, ending }: Context,
): Promise<number> {
  const session = await readSession(file);
  const { model: recorded } = session.head;
  const options = loadOptions(values);
  const model = await loadShown(
    (values.model as string | undefined) ?? recorded.name ?? undefined,
    {
      ...options,
      ...(options.dtype === 'auto' && { dtype: recorded.dtype as 'float32' }),
      signal: ending.signal,
    },
    terminal,
  );
  try {
    if (model.identity !== recorded.identity) {
      terminal.stderr.write('parakeet: this is not the model of the session; its words will differ\n');
    }
    const result = await replaySession(file, session, model, { signal: ending.signal });
    terminal.stdout.write(
      values.json === true ? `${JSON.stringify(plain(result))}\n` : text(session.events.length, result),
    );
    return result.differences.length > 0 ? 1 : 0;
  } finally {
    await model.close();
  }
}

function plain({ error, ...result }: ReplayResult): object {
  return { ...result, ...(error && { error: describe(error) }) };
}

function text(recorded: number, { pushes, audioSeconds, events, differences, error }: ReplayResult): string {
  const head = `${pushes} pushes, ${audioSeconds.toFixed(1)} s of audio, ${events} of ${recorded} events compared`;
  const ended = error ? `The stream failed: ${describe(error)}\n` : '';
  if (differences.length === 0) return `${head}: the same\n${ended}`;
  const lines = differences.map(
    ({ index, recorded, replayed }) =>
      `  ${index}: recorded ${JSON.stringify(recorded)}\n  ${' '.repeat(String(index).length)}  replayed ${JSON.stringify(replayed)}\n`,
  );
  return `${head}: ${differences.length} differ\n${lines.join('')}${ended}`;
}
