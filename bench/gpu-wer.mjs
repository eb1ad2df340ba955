/**
 * Word error rate of the bundled model on one device and in one type, whole recordings and live ('balanced').
 *
 *     npm run -s bench:gpu-wer -- [--json] [--device gpu] [--dtype bfloat16] [--recordings DIR …]
 *
 * DIR of recordings: sound files and a transcripts.tsv (default: test/audio).
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from 'parakeet-stream';
import { readRecordings } from './recordings.mjs';
import { wordErrorRate } from './wer-metric.mjs';

/** Without the language model that whole recordings have by default. */
const decoding = { type: 'greedy' };
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    device: { type: 'string', default: 'gpu' },
    dtype: { type: 'string', default: 'bfloat16' },
    recordings: {
      type: 'string',
      multiple: true,
      default: [fileURLToPath(new URL('../test/audio', import.meta.url))],
    },
  },
});
const { device, dtype } = values;
const model = await loadModel(undefined, { device, dtype });
const results = [];
for (const folder of values.recordings) {
  const pairs = { offline: [], live: [] };
  for (const { file, said } of readRecordings(folder)) {
    pairs.offline.push({ said, heard: (await model.transcribe(file, { decoding })).text });
    pairs.live.push({ said, heard: (await model.transcribe(file, { mode: 'live', decoding })).text });
  }
  const row = {
    device,
    dtype,
    recordings: path.basename(folder),
    count: pairs.offline.length,
    offline: wordErrorRate(pairs.offline).wer,
    live: wordErrorRate(pairs.live).wer,
  };
  results.push(row);
  if (!values.json) console.log(Object.values(row).join('  '));
}
await model.close();
if (values.json) console.log(JSON.stringify(results));
