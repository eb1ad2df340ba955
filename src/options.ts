/**
 * Checks of options, with messages that say what was expected, what was received, and of which type. Only the checks; defaults and meaning
 * are up to the callers.
 */
import { inspect } from 'node:util';
import { isAnyArrayBuffer } from 'node:util/types';
import { ArgumentError } from './errors.js';

/** `Expected <what> for <option> but received <value> of type <type>`, and what to do about it. */
export function expected(what: string, option: string, value: unknown, remedy = ''): ArgumentError {
  const type = value === null ? 'null' : typeof value;
  return received(what, option, `${shown(value)} of type ${type}`, remedy);
}

/** The same for a value that is better described in words than by its content. */
export function received(what: string, option: string, description: string, remedy = ''): ArgumentError {
  const message = `Expected ${what} for ${option} but received ${description}`;
  return new ArgumentError(remedy ? `${message}. ${remedy}` : message);
}

/** One short line for any value: bytes and samples by their kind and length. */
function shown(value: unknown): string {
  if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) {
    const { name } = value.constructor;
    return 'length' in value ? `${name}(${value.length})` : `${name} of ${value.byteLength} bytes`;
  }
  return inspect(value, {
    depth: 0,
    compact: true,
    breakLength: Number.POSITIVE_INFINITY,
    maxStringLength: 80,
    maxArrayLength: 8,
  });
}

/** A whole number of at least `min`. `undefined` is passed through. */
export function optionalInteger(option: string, value: unknown, min: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
  throw expected(min === 1 ? 'a positive integer' : `an integer of at least ${min}`, option, value);
}

/** A finite number greater than zero. `undefined` is passed through. */
export function optionalPositive(option: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw expected('a positive number', option, value);
}

/** True or false. `undefined` is passed through. */
export function optionalBoolean(option: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw expected('true or false', option, value);
}

/** An integer in [min, max]. */
export function integer(option: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw expected(`an integer ${range}`, option, value);
}

/** A finite number in [min, max]. */
export function finite(option: string, value: unknown, min: number, max = Number.MAX_VALUE): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_VALUE ? `of at least ${min}` : `from ${min} to ${max}`;
  throw expected(`a number ${range}`, option, value);
}

/** One of a few strings. */
export function oneOf<T extends string>(option: string, value: unknown, words: readonly T[]): T {
  if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as T;
  throw expected(`one of ${words.map((word) => `'${word}'`).join(', ')}`, option, value);
}

/** An object without unknown keys: a misspelt option is an error, not silently ignored. */
export function known<T extends object>(what: string, options: T, keys: readonly string[]): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw expected('an object', `the options of ${what}`, options);
  }
  const stray = Object.keys(options).find((key) => !keys.includes(key));
  if (stray !== undefined) throw expected(`only ${keys.join(', ')}`, `the options of ${what}`, stray);
  return options;
}

/** An `AbortSignal`. `undefined` is passed through. */
export function optionalSignal(option: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw expected('an AbortSignal', option, value);
}

/** True or false. */
export function flag(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw expected('true or false', option, value);
}
