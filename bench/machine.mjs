/** The machine that figures are measured on, in words: its processor, what our kernels use of it, its cores. */
import os from 'node:os';
import { loadAddon } from '../dist/engine/load-addon.js';

/** Names of oneDNN's, and of our kernels, as people write them. */
const INSTRUCTIONS = {
  avx2: 'AVX2',
  avx2_vnni: 'AVX2 and VNNI',
  avx512_core: 'AVX-512',
  avx512_core_vnni: 'AVX-512 and VNNI',
  avx512_core_bf16: 'AVX-512, VNNI and BF16',
  avx512_core_amx: 'AVX-512 and AMX',
};

export function machine() {
  const { instructions } = loadAddon().build();
  const cpu = (os.cpus()[0]?.model ?? process.arch).replace(/\(R\)|\(TM\)| Processor$/g, '').trim();
  const cores = os.availableParallelism();
  const named = INSTRUCTIONS[instructions] ?? instructions;
  return `${cpu}${named ? ` with ${named}` : ''}, ${cores} cores`;
}
