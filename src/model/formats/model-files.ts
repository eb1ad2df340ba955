/**
 * What every format of model comes down to: NeMo's configuration, and tensors by the names that the engine asks for, each with the
 * place in a file where it lies. Nothing is copied: the engine maps the files and takes what it needs.
 */

import type { NativeTensor } from '../../engine/addon.js';
import { ModelError } from '../../errors.js';

/** A model as it lies on the disk. */
export interface ModelFiles {
  format: 'parakeet-mlx' | 'transformers' | 'nemo';
  /** NeMo's configuration as parsed JSON, unchecked. */
  config: unknown;
  /** Where it came from, for errors. */
  configFile: string;
  tensors: NativeTensor[];
  /** Where a `streaming.json` (prior.ts) may lie. */
  prior?: string;
  /** Removes what was unpacked. After the engine has loaded the weights. */
  dispose(): Promise<void>;
}

/** Nothing was unpacked. */
export async function keepAll(): Promise<void> {}

/**
 * PyTorch's convolution weights, [outputs, inputs, …kernel], as MLX has them, [outputs, …kernel, inputs]. In these models one of the
 * two is always 1, so that the same bytes serve.
 *
 * @throws {ModelError} `ERR_PARAKEET_UNSUPPORTED_MODEL` when that is not so.
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

/** PyTorch's name of an LSTM's tensor as the engine's: `lstm.weight_ih_l0` is `lstm.0.Wx`; both biases are `lstm.0.bias`. */
export function lstmName(name: string): string {
  return name.replace(LSTM, (_, prefix: string, kind: string, side: string, layer: string) =>
    kind === 'bias' ? `${prefix}.${layer}.bias` : `${prefix}.${layer}.${side === 'ih' ? 'Wx' : 'Wh'}`,
  );
}
