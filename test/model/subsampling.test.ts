// The subsampling against the reference in shapes that no published model has: edges in every place, channels that fill no
// register, few rows, every factor, more frames than are subsampled at once.
import { afterAll, expect, test } from 'vitest';
import { encode } from '../reference/encoder.js';
import { Matrix } from '../reference/matrix.js';
import { maxDifference } from '../support/goldens.js';
import { ModelFolders, readConfigOf, readWeightsOf, weightsFile } from '../support/model-folder.js';
import { loadNativeGolden } from '../support/native-golden.js';
import { noise } from '../support/signals.js';

const folders = new ModelFolders();
afterAll(() => folders.remove());

/** The golden CTC model with one layer and another subsampling, of random weights. */
function folderWith({ factor, features, channels }: { factor: number; features: number; channels: number }) {
  const config = readConfigOf('ctc');
  const { d_model: width } = config.encoder;
  config.preprocessor.features = features;
  Object.assign(config.encoder, {
    feat_in: features,
    n_layers: 1,
    subsampling_factor: factor,
    subsampling_conv_channels: channels,
  });

  const { header, data } = readWeightsOf('ctc');
  const parts = [data];
  let end = data.length;
  const put = (name: string, shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    // Sums of as many products as there are inputs stay near 1.
    const values = noise(count, Math.sqrt(3 / (count / (shape[0] as number))), end);
    header[`encoder.pre_encode.${name}`] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * count] };
    parts.push(Buffer.from(values.buffer));
    end += 4 * count;
  };
  put('conv.0.weight', [channels, 3, 3, 1]);
  put('conv.0.bias', [channels]);
  let columns = Math.ceil(features / 2);
  for (let at = 4, index = 2; at <= factor; at *= 2, index += 3) {
    put(`conv.${index}.weight`, [channels, 3, 3, 1]);
    put(`conv.${index}.bias`, [channels]);
    put(`conv.${index + 1}.weight`, [channels, 1, 1, channels]);
    put(`conv.${index + 1}.bias`, [channels]);
    columns = Math.ceil(columns / 2);
  }
  put('out.weight', [width, channels * columns]);
  put('out.bias', [width]);
  return folders.make(
    { config: Buffer.from(JSON.stringify(config)), weights: weightsFile(header, Buffer.concat(parts)) },
    'ctc',
  );
}

test.each([
  { factor: 8, features: 80, channels: 32 },
  { factor: 8, features: 7, channels: 21 },
  { factor: 8, features: 9, channels: 40 },
  { factor: 8, features: 1, channels: 3 },
  { factor: 2, features: 5, channels: 21 },
  { factor: 4, features: 10, channels: 21 },
  { factor: 16, features: 13, channels: 21 },
])(
  'by $factor, $features features in $channels channels: within 1e-4 for any number of rows',
  async (shape) => {
    // Several threads: their pieces meet within a signal.
    const options = { folder: folderWith(shape), threads: 3 };
    const { native, reference } = await loadNativeGolden('ctc', 'float32', options);
    for (const rows of [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 64, 100, 333]) {
      const features = noise(rows * shape.features, 1, rows);
      const expected = encode(reference, new Matrix(rows, shape.features, features), [-1, -1]);
      const encoded = await native.encode(features, rows, [-1, -1], 0);
      expect([encoded.rows, encoded.columns]).toEqual([expected.rows, expected.columns]);
      expect(maxDifference(encoded.data, expected.data), `${rows} rows`).toBeLessThan(1e-4);
    }
    await native.close();
  },
);

// 512 frames are a piece: one with a last piece of a single frame, and one with a piece that has both its neighbours.
test.each([8 * 512 + 3, 8 * 1100])('%d rows, in pieces: within 1e-4', async (rows) => {
  const folder = folderWith({ factor: 8, features: 7, channels: 20 });
  const { native, reference } = await loadNativeGolden('ctc', 'float32', { folder, threads: 3 });
  const features = noise(rows * 7, 1);
  const expected = encode(reference, new Matrix(rows, 7, features), [4, 4]);
  const encoded = await native.encode(features, rows, [4, 4], 0);
  expect(encoded.rows).toBe(expected.rows);
  expect(maxDifference(encoded.data, expected.data)).toBeLessThan(1e-4);
  await native.close();
});
