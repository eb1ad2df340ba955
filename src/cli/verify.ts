/**
 * `parakeet verify`: checks on this machine that the engine computes the correct results. The exit code reports the result.
 */
import type { VerifyCheck } from '../verify/check.js';
import { type VerifyReport, verifyModel } from '../verify/verify-model.js';
import type { Values } from './cli-option.js';
import { loadOptions } from './library-options.js';
import type { Context } from './program.js';
import { ProgressBar } from './progress.js';

export async function verify(
  [name]: string[],
  values: Values,
  { terminal, ending }: Context,
): Promise<number> {
  const bar = new ProgressBar(terminal.stderr);
  try {
    const report = await verifyModel(name, {
      ...loadOptions(values),
      signal: ending.signal,
      onStep: ({ done, total, what }) => bar.update(done / total, what),
    });
    bar.clear();
    terminal.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : describe(report));
    return report.passed ? 0 : 1;
  } finally {
    bar.clear();
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
