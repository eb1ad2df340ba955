/**
 * Encodes noise of several lengths and contexts with a model and writes all frames to a file: for comparing what one
 * instruction set computes with what another does (ONEDNN_MAX_CPU_ISA is read when a process starts).
 *
 *     node encode-shapes.mjs MODEL DTYPE OUTPUT [MOST]
 *
 * MOST: frames of the longest noise, for an emulator.
 */
import { writeFileSync } from 'node:fs';
import { loadModel } from 'parakeet-stream';

const [folder, dtype, output, most = '600'] = process.argv.slice(2);
const model = await loadModel(folder, { dtype });
const { features } = model.info;

// One frame, fewer than a tile has rows, one more, several tiles, several spans of attention.
const lengths = [1, 11, 13, 40, 130, 600].filter((frames) => frames <= Number(most));
const contexts = [
  [-1, -1],
  [3, 5],
  [70, 33],
  [0, 0],
];
const all = [];
for (const frames of lengths) {
  for (const context of contexts) {
    const rows = frames * model.info.subsamplingFactor;
    let state = frames;
    const noise = Float32Array.from({ length: rows * features }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return 1.7 * (state / 2 ** 31 - 1);
    });
    all.push((await model.native.encode(noise, rows, context, 0)).data);
  }
}
await model.close();
writeFileSync(
  output,
  Buffer.concat(all.map((data) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))),
);
