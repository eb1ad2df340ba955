/** The device that computes: one for the whole process, decided by the first model. */
import { ModelError } from '../errors.js';
import { oneOf } from '../options.js';
import type { NativeAddon } from './addon.js';

/** What `device` may be. */
export type DeviceOption = 'auto' | 'cpu' | 'gpu';

/** @throws {@link ArgumentError} for anything but a device's name. Without one: `'auto'`. */
export function checkDevice(option: string, value: unknown): DeviceOption {
  return oneOf(option, value ?? 'auto', ['auto', 'cpu', 'gpu']);
}

/**
 * Decides which device computes, unless that is decided already.
 *
 * @param wanted `'auto'` leaves it to `PARAKEET_DEVICE`, and that to the machine.
 * @throws {@link ModelError} `ERR_PARAKEET_UNSUPPORTED_MODEL` when that device is not there, or another one was decided on.
 */
export function decideDevice(addon: NativeAddon, wanted: DeviceOption): 'cpu' | 'gpu' {
  const named =
    wanted === 'auto' ? checkDevice('PARAKEET_DEVICE', process.env.PARAKEET_DEVICE || undefined) : wanted;
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
