// The native model with some methods replaced. The addon's objects have their methods on a prototype, so `{ ...native }` is empty.
import type { NativeEncoderOptions, NativeModel } from '../../src/engine/addon.js';

export function nativeWith(native: NativeModel, replaced: Partial<NativeModel>): NativeModel {
  return new Proxy(native, {
    get(target, key) {
      const own = Reflect.get(replaced, key) as unknown;
      if (own !== undefined) return own;
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Options of an encoder that makes small steps. */
export const smallEncoder: NativeEncoderOptions = {
  chunk: 4,
  lookahead: 0,
  context: [8, -1],
  cache: 8,
  normalization: 'running',
  emissionDelay: 4,
  hangover: 80,
  gate: false,
  history: 0,
  grow: 1,
  recall: [-1, -1],
};
