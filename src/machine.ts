/**
 * What this machine computes with, and how fast: for `parakeet doctor` and for reports of problems. It measures bare products and a
 * recording's worth of the bundled model, not a user's model (bench/encoder.mjs is for that).
 */
import os from 'node:os';
import { bundledModel } from './bundled-model.js';
import type { NativeDType } from './engine/addon.js';
import { decideDevice } from './engine/device.js';
import { loadAddon } from './engine/load-addon.js';
import { loadModel } from './load-model.js';

/** One type of weights on this machine. */
interface MachineType {
  dtype: NativeDType;
  /** Whether the CPU or GPU multiplies it natively; otherwise its weights are widened to float32 on the way. */
  native: boolean;
  /** Billions of operations per second of bare products, all threads together. */
  gigaflops: number;
  /** Seconds of audio per second through the bundled model. */
  speed: number;
  /** Why it could not be measured; the figures are 0 then. */
  error?: string;
}

/** What {@link inspectMachine} finds. */
export interface Machine {
  platform: string;
  node: string;
  cpu: string;
  /** Cores that the process may use. */
  cores: number;
  device: 'cpu' | 'metal' | 'cuda';
  /** The GPU's name and its memory in bytes; `null` on a CPU. */
  gpu: { name: string; memory: number } | null;
  mlx: string;
  /** `null` if it is not needed (a GPU; Linux arm64) or missing. */
  onednn: string | null;
  /** Instruction set of the products on a CPU; `null` if MLX's own operations make them, which is slow on a CPU. */
  instructions: string | null;
  /** The type that `dtype: 'auto'` selects. */
  auto: NativeDType;
  types: MachineType[];
}

const measured = 0.08;
/** A typical product of a large model: ten seconds of audio through a feed-forward layer. */
const shape = { rows: 125, inputs: 1024, outputs: 2048 };

/**
 * Inspects the machine and measures it for about a second. `threads`: as in `loadModel`, all cores if missing.
 *
 * @throws {@link NativeError} `ERR_PARAKEET_NATIVE_LOAD` when the addon cannot be loaded.
 */
export async function inspectMachine(threads?: number): Promise<Machine> {
  const addon = loadAddon();
  const device = decideDevice(addon, 'auto');
  const build = addon.build();
  const types: MachineType[] = [];
  for (const dtype of ['float32', 'bfloat16', 'int8', 'int4'] as const) {
    const native = dtype === 'float32' || (dtype === 'bfloat16' ? build.nativeBfloat16 : build.byteProducts);
    try {
      const speed = await modelSpeed(dtype, threads);
      const { rows, inputs, outputs } = device === 'gpu' ? largeShape : shape;
      const flops = await addon.productSpeed(dtype, rows, inputs, outputs, measured);
      types.push({ dtype, native, gigaflops: flops / 1e9, speed });
    } catch (error) {
      // On a GPU a type may lack what its kernels are compiled with: the others work all the same.
      types.push({ dtype, native, gigaflops: 0, speed: 0, error: (error as Error).message });
    }
  }
  return {
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    device: build.backend,
    gpu: device === 'gpu' ? addon.gpu() : null,
    mlx: build.mlx,
    onednn: build.onednn,
    instructions: build.instructions,
    auto: build.nativeBfloat16 ? 'bfloat16' : 'float32',
    types,
  };
}

/** The same for a GPU, which a typical product does not fill. */
const largeShape = { rows: 4096, inputs: 4096, outputs: 4096 };

/** Noise costs as much as speech, apart from a few tokens. */
async function modelSpeed(dtype: NativeDType, threads: number | undefined): Promise<number> {
  const model = await loadModel(bundledModel(), { dtype, threads });
  try {
    const seconds = 5;
    const samples = new Float32Array(seconds * model.info.sampleRate);
    for (let i = 0; i < samples.length; i++) samples[i] = 0.1 * Math.sin(0.3 * i + 1e-4 * i * i);
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 3; run++) {
      const start = performance.now();
      await model.transcribe(samples, { decoding: { type: 'greedy' } });
      best = Math.min(best, (performance.now() - start) / 1000);
    }
    return seconds / best;
  } finally {
    await model.close();
  }
}
