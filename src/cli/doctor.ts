/**
 * `parakeet doctor`: what this machine computes with, and how fast.
 */
import { inspectMachine, type Machine } from '../machine.js';
import type { Values } from './cli-option.js';
import type { Context } from './program.js';

export async function doctor(_args: string[], values: Values, { terminal }: Context): Promise<number> {
  const machine = await inspectMachine(values.threads as number | undefined);
  terminal.stdout.write(values.json === true ? `${JSON.stringify(machine)}\n` : describe(machine));
  return 0;
}

function describe(machine: Machine): string {
  const rows: [string, string][] = [
    ['machine', `${machine.platform}, ${machine.cpu}, ${count(machine.cores, 'core')}`],
    ['node', machine.node],
    ['device', describeDevice(machine)],
    ['libraries', [`MLX ${machine.mlx}`, machine.onednn ?? ownKernels(machine)].join(', ')],
    ...(machine.instructions === null ? [] : [['instructions', machine.instructions] as [string, string]]),
    ["dtype 'auto'", machine.auto],
  ];
  let text = rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join('');
  text += `\n${'dtype'.padEnd(14)}${'products'.padStart(12)}${'bundled model'.padStart(20)}\n`;
  for (const { dtype, native, gigaflops, speed, error } of machine.types) {
    if (error !== undefined) {
      text += `${dtype.padEnd(14)}does not work here: ${error.split('\n')[0]}\n`;
      continue;
    }
    text += `${dtype.padEnd(14)}${`${gigaflops.toFixed(0)} GFLOP/s`.padStart(12)}${`${speed.toFixed(0)} × real time`.padStart(20)}`;
    text += native ? '\n' : '   computed in float32\n';
  }
  if (machine.device === 'cpu' && machine.instructions === null) {
    text +=
      '\nThis build leaves the products to MLX, which makes them several times slower than they could be on a CPU. ' +
      'Install oneDNN 3 (on Debian 13 and Ubuntu 24.04: libdnnl-dev) and compile the addon here: npx parakeet build.\n';
  }
  return text;
}

function describeDevice({ device, gpu }: Machine): string {
  return gpu ? `${device}, ${gpu.name}, ${(gpu.memory / 1e9).toFixed(0)} GB` : device;
}

/** What makes the products without oneDNN. */
function ownKernels({ instructions }: Machine): string {
  return instructions === null ? 'no oneDNN' : 'our own products';
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}
