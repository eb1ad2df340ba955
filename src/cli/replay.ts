/**
 * `parakeet replay`: runs a recorded session again and says where its events differ.
 */
import { type ReplayResult, readSession, replaySession } from '../session/replay.js';
import { describe } from './describe.js';
import { modelOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import type { Parsed } from './options.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function replay({ values, positionals }: Parsed, terminal: Terminal): Promise<number> {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw new UsageError(`Expected one session file but received ${positionals.length}`);
  }
  const session = await readSession(file);
  const { name, options } = modelOptions(values);
  const { model: recorded } = session.head;
  const model = await loadShown(
    name ?? recorded.name ?? undefined,
    {
      ...options,
      ...(options.dtype === 'auto' && { dtype: recorded.dtype as 'float32' }),
    },
    terminal,
  );
  try {
    if (model.identity !== recorded.identity) {
      terminal.stderr.write('parakeet: this is not the model of the session; its words will differ\n');
    }
    const result = await replaySession(file, session, model);
    terminal.stdout.write(
      values.get('json') === true
        ? `${JSON.stringify(plain(result))}\n`
        : text(session.events.length, result),
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
