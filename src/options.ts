/**
 * Checks of options at the door, with messages that teach: what was expected, what came, of which type.
 * Only the checks; defaults and meaning stay with whoever takes the option.
 */
import { inspect } from 'node:util';
import { ArgumentError } from './errors.js';

/** `Expected <what> for <option> but received <value> of type <type>`, and what to do about it. */
export function expected(what: string, option: string, value: unknown, remedy = ''): ArgumentError {
  const type = value === null ? 'null' : typeof value;
  const shown = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 80 });
  const message = `Expected ${what} for ${option} but received ${shown} of type ${type}`;
  return new ArgumentError(remedy ? `${message}. ${remedy}` : message);
}

/** A whole number of at least `min`. `undefined` stays what it is. */
export function optionalInteger(option: string, value: unknown, min: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
  throw expected(min === 1 ? 'a positive integer' : `an integer of at least ${min}`, option, value);
}

/** A finite number greater than zero. `undefined` stays what it is. */
export function optionalPositive(option: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw expected('a positive number', option, value);
}

/** True or false. `undefined` stays what it is. */
export function optionalBoolean(option: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw expected('true or false', option, value);
}
