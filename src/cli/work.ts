/** `parakeet work`: a worker of a queue in Redis until a signal ends it. The work is the library's. */
import { type FinishedJob, startWorker } from '../many/index.js';
import { WorkerMetrics } from '../many/metrics.js';
import type { Values } from './cli-option.js';
import { loadOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import type { Context } from './program.js';
import { UsageError } from './usage-error.js';

export async function work(_args: string[], values: Values, context: Context): Promise<number> {
  if (values.redis === undefined) throw new UsageError('Expected --redis, or PARAKEET_REDIS, for the queue');
  const port = values.metricsPort as number | undefined;
  const metrics = port === undefined ? undefined : await WorkerMetrics.create();
  try {
    // Before any work: a port that is taken is an error.
    const address = await metrics?.listen(values.metricsHost as string, port as number);
    await workUntilEnd(values, context, metrics, address);
    return 0;
  } finally {
    await metrics?.close();
  }
}

async function workUntilEnd(
  values: Values,
  { terminal, ending }: Context,
  metrics: WorkerMetrics | undefined,
  address: string | undefined,
): Promise<void> {
  const { signal } = ending;
  const [quiet, verbose] = [values.quiet === true, values.verbose === true];
  const name = values.model as string | undefined;
  const model = await loadShown(name, { ...loadOptions(values), signal }, terminal, quiet);
  try {
    const worker = await startWorker({
      url: values.redis as string,
      name: values.queue as string,
      model,
      concurrency: values.concurrency as number | undefined,
      takeover: values.takeover as number,
      scratch: values.scratch as string | undefined,
      onJob: (job) => {
        metrics?.finished(job);
        if (verbose || (job.status === 'failed' && !quiet)) terminal.stderr.write(`${lineOf(job)}\n`);
      },
    });
    // The second request ends it at once: other workers take over.
    signal.addEventListener('abort', () => terminal.exit(ending.code ?? 1));
    const asked = new Promise<void>((resolve) => {
      ending.onFirst(resolve);
      // While it was starting.
      if (signal.aborted) resolve();
    });
    if (!quiet) {
      const { dtype, device, instructions } = worker.identity;
      const place = address === undefined ? '' : `, metrics at ${address}`;
      terminal.stderr.write(
        `parakeet: working on ${values.queue} (${dtype}, ${device}, ${instructions})${place}\n`,
      );
    }
    await asked;
    await worker.stop();
    // Being asked to end is how a worker ends.
    ending.forget();
  } finally {
    ending.onFirst(undefined);
    await model.close();
  }
}

function lineOf({ kind, id, status, seconds, failure }: FinishedJob): string {
  const reason = failure ? `: [${failure.code}] ${failure.message}` : '';
  return `parakeet: ${kind} ${id} ${status} after ${seconds.toFixed(2)} s${reason}`;
}
