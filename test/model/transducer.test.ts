// The native predictor, joint and greedy decoder against their formulas, in sizes that fill no register and no block of rows, with
// every activation, and with gates far into their saturation.
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Matrix } from '../reference/matrix.js';
import { decodeTransducer, initialState } from '../reference/transducer.js';
import { ModelFolders, readConfigOf, readWeightsOf, weightsFile } from '../support/model-folder.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { frameTokens } from '../support/native-stream.js';
import { noise } from '../support/signals.js';

const HIDDEN = 37;
const JOINT = 45;
const VOCABULARY = 131;

const folders = new ModelFolders();
afterAll(() => folders.remove());
let golden: NativeGolden | undefined;
afterEach(async () => {
  await golden?.native.close();
  golden = undefined;
});

/** The golden TDT model's encoder with another decoder. `exact`: weights that bfloat16 holds as they are. */
async function load(activation: string, exact: boolean): Promise<NativeGolden> {
  const config = readConfigOf('tdt');
  const { durations } = config.decoding;
  const width = config.encoder.d_model;
  config.joint.jointnet.activation = activation;
  config.joint.vocabulary = Array.from({ length: VOCABULARY }, (_, i) => `▁${i}`);
  const { header, data } = readWeightsOf('tdt');
  const parts = [data];
  let end = data.length;
  const put = (name: string, shape: number[], level: number, change?: (values: Float32Array) => void) => {
    const count = shape.reduce((product, n) => product * n, 1);
    const values = noise(count, level, end);
    change?.(values);
    const bits = new Uint32Array(values.buffer);
    if (exact) for (let i = 0; i < count; i++) bits[i] = (bits[i] as number) & 0xffff0000;
    parts.push(Buffer.from(values.buffer));
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * count] };
    end += 4 * count;
  };
  put('decoder.prediction.embed.weight', [VOCABULARY + 1, HIDDEN], 2);
  for (const layer of [0, 1]) {
    const name = `decoder.prediction.dec_rnn.lstm.${layer}`;
    put(`${name}.Wx`, [4 * HIDDEN, HIDDEN], 1);
    put(`${name}.Wh`, [4 * HIDDEN, HIDDEN], 1);
    put(`${name}.bias`, [4 * HIDDEN], 0.5);
  }
  put('joint.pred.weight', [JOINT, HIDDEN], 1);
  put('joint.pred.bias', [JOINT], 0.5);
  put('joint.enc.weight', [JOINT, width], 0.5);
  put('joint.enc.bias', [JOINT], 0.5);
  const outputs = VOCABULARY + 1 + durations.length;
  put('joint.joint_net.2.weight', [outputs, JOINT], 1);
  put('joint.joint_net.2.bias', [outputs], 0.5, (values) => {
    // Blanks, alone and many in a row.
    values[VOCABULARY] = activation === 'tanh' ? 8 : 6;
  });
  const folder = folders.make({
    config: JSON.stringify(config),
    weights: weightsFile(header, Buffer.concat(parts)),
  });
  golden = await loadNativeGolden('tdt', 'float32', { folder });
  return golden;
}

describe('a greedy decoder', () => {
  test.each([
    ['relu', true],
    ['relu', false],
    ['sigmoid', false],
    ['tanh', true],
    ['tanh', false],
  ])('with %s in the joint, weights in bfloat16: %s', async (activation, exact) => {
    const { native, reference, head } = await load(activation, exact);
    const columns = reference.encoder.dModel;
    const rows = 400;
    // Loud and quiet frames.
    const encoded = noise(rows * columns, 1, 7).map((value, i) => value * (1 + Math.sin(i / columns / 20)));
    const { tokens: expected } = decodeTransducer(
      reference,
      new Matrix(rows, columns, encoded),
      0,
      initialState(reference, 0),
    );
    // Twice: the second time all tokens are known.
    for (const _ of [1, 2]) {
      const tokens = frameTokens(await native.decode(encoded, rows, { head }, 0));
      const placed = (all: typeof tokens) => all.map(({ id, start, duration }) => [id, start, duration]);
      expect(placed(tokens)).toEqual(placed(expected));
      tokens.forEach(({ confidence }, i) => {
        expect(Math.abs(confidence - (expected[i]?.confidence ?? 0))).toBeLessThan(1e-5);
      });
    }
    expect(expected.length).toBeGreaterThan(30);
    expect(expected.length).toBeLessThan(rows / 2);
  });
});
