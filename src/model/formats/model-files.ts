/**
 * The common form of every model format: NeMo's configuration, and tensors by the names that the engine uses, each with its position in a
 * file. Nothing is copied: the engine maps the files and reads what it needs.
 */

import type { NativeTensor } from '../../engine/addon.js';
import { ModelError } from '../../errors.js';

/** A model as it is stored on the disk. */
export interface ModelFiles {
  format: 'parakeet-mlx' | 'transformers' | 'nemo';
  /** NeMo's configuration as parsed JSON, unchecked. */
  config: unknown;
  /** Where it came from, for errors. */
  configFile: string;
  tensors: NativeTensor[];
  /** Where a `streaming.json` (prior.ts) may be. */
  prior?: string;
  /** Where a `confidence.json` (confidence.ts) may be. */
  calibrations?: string;
  /** The language model beside it. */
  languageModel?: string;
  /** Removes what was unpacked. Call it after the engine has loaded the weights. */
  dispose(): Promise<void>;
}

/** Nothing was unpacked. */
export async function keepAll(): Promise<void> {}

/**
 * PyTorch's convolution weights, [outputs, inputs, …kernel], in MLX's layout, [outputs, …kernel, inputs]. In these models one of the two is
 * always 1, so the bytes are the same.
 *
 * @throws {ModelError} `ERR_PARAKEET_UNSUPPORTED_MODEL` otherwise.
 */
export function channelsLast(tensor: NativeTensor): NativeTensor {
  const [outputs = 1, inputs = 1, ...kernel] = tensor.shape;
  if (kernel.length === 0) return tensor;
  if (inputs !== 1 && kernel.some((size) => size !== 1)) {
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected a depthwise or a pointwise convolution for tensor '${tensor.name}' in ${tensor.path} ` +
        `but found a shape of [${tensor.shape.join(', ')}]`,
    );
  }
  return { ...tensor, shape: [outputs, ...kernel, inputs] };
}

const LSTM = /^(.*\.lstm)\.(weight|bias)_(ih|hh)_l(\d+)$/;

/** The engine's name for an LSTM tensor of PyTorch: `lstm.weight_ih_l0` is `lstm.0.Wx`; both biases are `lstm.0.bias`. */
export function lstmName(name: string): string {
  return name.replace(LSTM, (_, prefix: string, kind: string, side: string, layer: string) =>
    kind === 'bias' ? `${prefix}.${layer}.bias` : `${prefix}.${layer}.${side === 'ih' ? 'Wx' : 'Wh'}`,
  );
}
