/** `parakeet jobs`: what is in a queue in Redis, as tables or lines of JSON. */
import { type JobState, openJobs, type QueuedJob, type QueueJobs } from '../many/index.js';
import type { Values } from './cli-option.js';
import type { Context } from './program.js';
import { clock } from './progress.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

const STATES: readonly JobState[] = ['active', 'planned', 'waiting', 'failed', 'done'];
const BAR = 20;

export async function list(states: string[], values: Values, { terminal }: Context): Promise<number> {
  const unknown = states.find((state) => !(STATES as readonly string[]).includes(state));
  if (unknown !== undefined) throw new UsageError(`Expected ${STATES.join(', ')} but received ${unknown}`);
  const wanted = states.length > 0 ? (states as JobState[]) : (['active', 'planned', 'waiting'] as const);
  await withJobs(values, async (jobs) => {
    const counts = await jobs.counts();
    const found = await jobs.list(wanted, values.limit as number);
    if (values.json === true) {
      terminal.stdout.write(`${JSON.stringify({ ...counts, jobs: found })}\n`);
      return;
    }
    const { recordings, workers } = counts;
    const sum = STATES.map((state) => `${recordings[state]} ${state}`).join(', ');
    terminal.stdout.write(`${workers} ${workers === 1 ? 'worker' : 'workers'}; ${sum}\n`);
    for (const job of found) terminal.stdout.write(`${lineOf(job)}\n`);
  });
  return 0;
}

export async function failed(_args: string[], values: Values, context: Context): Promise<number> {
  return list(['failed'], values, context);
}

export async function retry(ids: string[], values: Values, { terminal }: Context): Promise<number> {
  await withJobs(values, async (jobs) => {
    const all = ids.length > 0 ? ids : (await jobs.list(['failed'], 1_000_000)).map(({ id }) => id);
    await jobs.retry(all);
    say(terminal, all.length, 'back in the queue');
  });
  return 0;
}

export async function cancel(ids: string[], values: Values, { terminal }: Context): Promise<number> {
  await withJobs(values, async (jobs) => {
    await jobs.cancel(ids);
    say(terminal, ids.length, 'cancelled');
  });
  return 0;
}

async function withJobs(values: Values, work: (jobs: QueueJobs) => Promise<void>): Promise<void> {
  if (values.redis === undefined) throw new UsageError('Expected --redis, or PARAKEET_REDIS, for the queue');
  const jobs = await openJobs({ url: values.redis as string, name: values.queue as string });
  try {
    await work(jobs);
  } finally {
    await jobs.close();
  }
}

function say({ stdout }: Terminal, count: number, what: string): void {
  stdout.write(`${count} recording${count === 1 ? '' : 's'} ${what}\n`);
}

function lineOf({ id, source, state, windows, seconds, failure, attempts, workers }: QueuedJob): string {
  const notes = [
    ...(windows ? [`${bar(windows.done / windows.of)} ${windows.done} of ${windows.of} windows`] : []),
    ...(seconds === undefined ? [] : [clock(seconds)]),
    ...(state === 'planned' && workers !== undefined ? [workers] : []),
    ...(failure
      ? [`${failure.code} after ${attempts} attempt${attempts === 1 ? '' : 's'}: ${failure.message}`]
      : []),
  ];
  return `${id} ${state.padEnd(7)} ${source}${notes.map((note) => `  ${note}`).join('')}`;
}

function bar(done: number): string {
  const filled = Math.round(done * BAR);
  return '█'.repeat(filled) + '░'.repeat(BAR - filled);
}
