/** `parakeet work`: a worker of a queue in Redis until a signal ends it. The work is the library's. */
import { type FinishedJob, startWorker } from '../many/index.js';
import { WorkerMetrics } from '../many/metrics.js';
import type { Values } from './cli-option.js';
import { loadOptions } from './library-options.js';
import { loadShown } from './load-model.js';
import type { Context } from './program.js';
import { UsageError } from './usage-error.js';

export async function work(_args: string[], values: Values, { terminal, ending }: Context): Promise<number> {
  if (values.redis === undefined) throw new UsageError('Expected --redis, or PARAKEET_REDIS, for the queue');
  const { signal } = ending;
  const [quiet, verbose] = [values.quiet === true, values.verbose === true];
  const port = values.metricsPort as number | undefined;
  const metrics = port === undefined ? undefined : await WorkerMetrics.create();
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
    const ended = new Promise<void>((resolve, reject) => {
      ending.onFirst(() => {
        worker.stop().then(() => {
          // Being asked to end is how a worker ends.
          ending.forget();
          resolve();
        }, reject);
      });
    });
    const address = await metrics?.listen(values.metricsHost as string, port as number);
    if (!quiet) {
      const { dtype, device, instructions } = worker.identity;
      const place = address === undefined ? '' : `, metrics at ${address}`;
      terminal.stderr.write(
        `parakeet: working on ${values.queue} (${dtype}, ${device}, ${instructions})${place}\n`,
      );
    }
    await ended;
  } finally {
    ending.onFirst(undefined);
    await metrics?.close();
    await model.close();
  }
  return 0;
}

function lineOf({ kind, id, status, seconds, failure }: FinishedJob): string {
  const reason = failure ? `: [${failure.code}] ${failure.message}` : '';
  return `parakeet: ${kind} ${id} ${status} after ${seconds.toFixed(2)} s${reason}`;
}
