/** The device that computes: one for the whole process, decided by the first model. */
import { ModelError } from '../errors.js';
import { oneOf } from '../options.js';
import type { NativeAddon } from './addon.js';

/** What `device` may be. */
export type DeviceOption = 'auto' | 'cpu' | 'gpu';

const names = ['auto', 'cpu', 'gpu'] as const;

/**
 * Decides which device computes, unless that is decided already.
 *
 * @param wanted The option; `undefined` and `'auto'` leave it to `PARAKEET_DEVICE`, and that to the machine.
 * @throws {@link ModelError} `ERR_PARAKEET_UNSUPPORTED_MODEL` when that device is not there, or another one was decided on.
 */
export function decideDevice(addon: NativeAddon, wanted: DeviceOption | undefined): 'cpu' | 'gpu' {
  const option = oneOf('device', wanted ?? 'auto', [...names]);
  const named =
    option === 'auto' ? oneOf('PARAKEET_DEVICE', process.env.PARAKEET_DEVICE || 'auto', [...names]) : option;
  if (named === 'gpu' && addon.gpu() === null) throw noGpu(addon);
  const device = addon.useDevice(named);
  if (named === 'auto' || named === device) return device;
  throw new ModelError(
    'ERR_PARAKEET_UNSUPPORTED_MODEL',
    `Expected the ${named} for device but the first model of this process was loaded on the ${device}, where all others compute too. ` +
      'Load the model in another process, or leave device out.',
  );
}

function noGpu(addon: NativeAddon): ModelError {
  const built = addon.build().backends.filter((backend) => backend !== 'cpu');
  return new ModelError(
    'ERR_PARAKEET_UNSUPPORTED_MODEL',
    built.length > 0
      ? `Expected a GPU but the ${built.join(' and ')} backend found none. Look whether the system sees it (\`nvidia-smi\`), ` +
          "in a container with `docker run --gpus all`, or use device 'cpu'."
      : "Expected a GPU but this addon was built for the CPU. With one of NVIDIA's cards, run `npm install @parakeet-stream/linux-x64-cuda` or " +
          "build it with PARAKEET_BACKEND=cuda (docs/gpu.md); otherwise use device 'cpu'.",
  );
}
