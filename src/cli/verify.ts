/**
 * `parakeet verify`: proof on this machine that the engine computes what it should. The exit code is the verdict.
 */
import type { VerifyCheck } from '../verify/check.js';
import { type VerifyReport, verifyModel } from '../verify/verify-model.js';
import { onInterrupt } from './interrupt.js';
import { modelOptions } from './library-options.js';
import type { Parsed } from './options.js';
import { ProgressBar } from './progress.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function verify({ values, positionals }: Parsed, terminal: Terminal): Promise<number> {
  const [name, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`Expected one model but received ${positionals.join(' ')}`);
  const { options } = modelOptions(values);
  const interrupt = onInterrupt(terminal);
  const bar = new ProgressBar(terminal.stderr);
  try {
    const report = await verifyModel(name, {
      ...options,
      signal: interrupt.signal,
      onStep: ({ done, total, what }) => bar.update(done / total, what),
    });
    bar.clear();
    terminal.stdout.write(values.get('json') === true ? `${JSON.stringify(report)}\n` : describe(report));
    return report.passed ? 0 : 1;
  } finally {
    bar.clear();
    interrupt.dispose();
  }
}

function describe(report: VerifyReport): string {
  const { model, dtype, goldens, checks, recordings, wer, realTimeFactor } = report;
  const against = goldens ? 'held against the reference' : 'no reference comes with it: held against itself';
  let text = `${model}, ${dtype}; ${against}\n\n${checks.map(line).join('')}\n`;
  const row = (file: string, wrong: number, factor: number) =>
    `${file.padEnd(50)}${`${wrong.toFixed(1)} %`.padStart(14)}${factor.toFixed(3).padStart(20)}\n`;
  text += `${'recording'.padEnd(50)}${'words wrong'.padStart(14)}${'real-time factor'.padStart(20)}\n`;
  for (const { file, wer, realTimeFactor } of recordings) text += row(file, wer, realTimeFactor);
  text += row('all', wer, realTimeFactor);
  const failed = checks.filter(({ passed }) => !passed).length;
  return `${text}\n${failed === 0 ? 'passed' : `FAILED: ${failed} of ${checks.length} checks`}\n`;
}

function line({ name, what, value, limit, passed }: VerifyCheck): string {
  const number = value === 0 ? '0' : value === Number.MAX_VALUE ? 'no number' : Number(value.toPrecision(2));
  return `${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)}${String(number).padStart(10)}  of at most ${String(limit).padEnd(7)}${what}\n`;
}
