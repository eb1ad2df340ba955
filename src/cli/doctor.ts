/**
 * `parakeet doctor`: what this machine computes with, and how fast.
 */
import { inspectMachine, type Machine } from '../model/machine.js';
import type { Parsed } from './options.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function doctor({ values, positionals }: Parsed, { stdout }: Terminal): Promise<number> {
  if (positionals.length > 0) {
    throw new UsageError(`Expected no argument but received ${positionals.join(' ')}`);
  }
  const machine = await inspectMachine(values.get('threads') as number | undefined);
  stdout.write(values.get('json') === true ? `${JSON.stringify(machine)}\n` : describe(machine));
  return 0;
}

function describe(machine: Machine): string {
  const rows: [string, string][] = [
    ['machine', `${machine.platform}, ${machine.cpu}, ${count(machine.cores, 'core')}`],
    ['node', machine.node],
    ['device', machine.device],
    ['libraries', [`MLX ${machine.mlx}`, machine.onednn ?? 'no oneDNN'].join(', ')],
    ...(machine.instructions === null ? [] : [['instructions', machine.instructions] as [string, string]]),
    ["dtype 'auto'", machine.auto],
  ];
  let text = rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join('');
  text += `\n${'dtype'.padEnd(14)}${'products'.padStart(12)}${'bundled model'.padStart(20)}\n`;
  for (const { dtype, native, gigaflops, speed } of machine.types) {
    text += `${dtype.padEnd(14)}${`${gigaflops.toFixed(0)} GFLOP/s`.padStart(12)}${`${speed.toFixed(0)} × real time`.padStart(20)}`;
    text += native ? '\n' : '   computed in float32\n';
  }
  if (machine.device === 'cpu' && machine.onednn === null) {
    text +=
      '\nThis build has no oneDNN: products on the CPU are several times slower than they could be. ' +
      'Install oneDNN 3 (on Debian 13 and Ubuntu 24.04: libdnnl-dev) and run npm rebuild parakeet-stream.\n';
  }
  return text;
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}
