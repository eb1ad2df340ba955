/** A part of a model's `config.json` that knows its own path, so that an error names the key, what was expected and what was found. */
import { inspect } from 'node:util';
import { ModelError } from '../errors.js';

type Json = Record<string, unknown>;

/** An object of the config, which knows its own path for error messages. */
export class Section {
  readonly #values: Json;

  constructor(
    value: unknown,
    private readonly path: string,
    private readonly file: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ModelError(
        'ERR_PARAKEET_INVALID_CONFIG',
        `Expected an object for ${path === '' ? 'the whole' : `'${path}'`} in ${file} but found ${show(value)}`,
      );
    }
    this.#values = value as Json;
  }

  get keys(): string[] {
    return Object.keys(this.#values);
  }

  get(key: string): unknown {
    return this.#values[key];
  }

  section(key: string): Section {
    return new Section(this.get(key), this.#at(key), this.file);
  }

  optionalSection(key: string): Section | undefined {
    return this.get(key) == null ? undefined : this.section(key);
  }

  string(key: string): string {
    const value = this.get(key);
    if (typeof value === 'string') return value;
    throw this.invalid(key, 'a string', value);
  }

  word<T extends string>(key: string, words: readonly T[], fallback?: T): T {
    const value = this.get(key) ?? fallback;
    if (words.includes(value as T)) return value as T;
    const expected = `one of ${words.map((word) => `'${word}'`).join(', ')}`;
    throw typeof value === 'string'
      ? this.unsupported(key, expected, value)
      : this.invalid(key, expected, value);
  }

  /** A key for which the engine supports only these values. */
  only(key: string, values: readonly unknown[], fallback?: unknown): void {
    const value = this.get(key) ?? fallback;
    if (values.includes(value)) return;
    const expected = values.map(show).join(' or ');
    throw value === undefined ? this.invalid(key, expected, value) : this.unsupported(key, expected, value);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.get(key) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.invalid(key, 'true or false', value);
  }

  number(key: string, min: number, max: number): number {
    const value = this.get(key);
    if (typeof value === 'number' && value >= min && value <= max) return value;
    throw this.invalid(key, `a number from ${min} to ${max}`, value);
  }

  integer(key: string, min: number, max: number, fallback?: number): number {
    const value = this.get(key) ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.invalid(key, `an integer from ${min} to ${max}`, value);
  }

  integers(key: string, min: number, max: number): number[] {
    const value = this.get(key);
    const fits = (item: unknown) =>
      typeof item === 'number' && Number.isInteger(item) && item >= min && item <= max;
    if (Array.isArray(value) && value.every(fits)) return value as number[];
    throw this.invalid(key, `integers from ${min} to ${max}`, value);
  }

  strings(key: string): string[] {
    const value = this.get(key);
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string'))
      return value;
    throw this.invalid(key, 'a list of strings', value);
  }

  invalid(key: string, expected: string, value: unknown): ModelError {
    return this.#error('ERR_PARAKEET_INVALID_CONFIG', key, expected, value);
  }

  unsupported(key: string, expected: string, value: unknown): ModelError {
    return this.#error('ERR_PARAKEET_UNSUPPORTED_MODEL', key, expected, value);
  }

  #error(
    code: 'ERR_PARAKEET_INVALID_CONFIG' | 'ERR_PARAKEET_UNSUPPORTED_MODEL',
    key: string,
    expected: string,
    value: unknown,
  ): ModelError {
    const found = value === undefined ? 'it is missing' : `found ${show(value)}`;
    return new ModelError(code, `Expected ${expected} for '${this.#at(key)}' in ${this.file} but ${found}`);
  }

  #at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

function show(value: unknown): string {
  return inspect(value, {
    depth: 0,
    maxArrayLength: 4,
    maxStringLength: 80,
    breakLength: Number.POSITIVE_INFINITY,
  });
}
