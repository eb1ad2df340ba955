/** Which device computes: asked for, named by the environment, decided by the first model. */
import { afterEach, expect, test, vi } from 'vitest';
import type { NativeAddon } from '../../src/engine/addon.js';
import { checkDevice, decideDevice } from '../../src/engine/device.js';

afterEach(() => vi.unstubAllEnvs());

/** An addon with a GPU or without, where the first call decides. */
function fake({ gpu, backends = ['cpu', 'cuda'] }: { gpu: boolean; backends?: string[] }) {
  let decided: 'cpu' | 'gpu' | undefined;
  return {
    gpu: () => (gpu ? { name: 'Card', memory: 1e10 } : null),
    build: () => ({ backends }),
    useDevice(wanted: string) {
      decided ??= wanted === 'gpu' || (wanted === 'auto' && gpu) ? 'gpu' : 'cpu';
      return decided;
    },
  } as unknown as NativeAddon;
}

test.each([
  [undefined, undefined, 'gpu'],
  ['auto', undefined, 'gpu'],
  ['cpu', undefined, 'cpu'],
  ['auto', 'cpu', 'cpu'],
  ['gpu', 'cpu', 'gpu'],
] as const)('option %s, PARAKEET_DEVICE %s: %s where there is a GPU', (option, named, device) => {
  vi.stubEnv('PARAKEET_DEVICE', named ?? '');
  expect(decideDevice(fake({ gpu: true }), checkDevice('device', option))).toBe(device);
});

test('auto is the CPU where there is none', () => {
  expect(decideDevice(fake({ gpu: false }), 'auto')).toBe('cpu');
});

test.each([
  [['cpu', 'cuda'], /the cuda backend found none.*nvidia-smi/],
  [['cpu'], /built for the CPU.*PARAKEET_BACKEND=cuda/],
])('a GPU that is not there is an error that says what to do: %s', (backends, message) => {
  expect(() => decideDevice(fake({ gpu: false, backends }), 'gpu')).toThrow(
    expect.objectContaining({
      code: 'ERR_PARAKEET_UNSUPPORTED_MODEL',
      message: expect.stringMatching(message) as string,
    }),
  );
});

test('the first model decides for all', () => {
  const addon = fake({ gpu: true });
  decideDevice(addon, 'cpu');
  expect(decideDevice(addon, 'auto')).toBe('cpu');
  expect(() => decideDevice(addon, 'gpu')).toThrow(/first model of this process was loaded on the cpu/);
});

test('PARAKEET_DEVICE is checked', () => {
  vi.stubEnv('PARAKEET_DEVICE', 'tpu');
  expect(() => decideDevice(fake({ gpu: true }), 'auto')).toThrow(
    expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' }),
  );
});
