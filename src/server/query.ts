/** Reading the parameters of an address. What they mean is up to the protocols. */
import type { BoostPhrase } from '../index.js';
import { protocolError } from './sockets/messages.js';

export class Query {
  readonly #values: URLSearchParams;

  /** @param url The address of a request, as Node has it. */
  constructor(url: string) {
    this.#values = new URLSearchParams(url.split('?')[1] ?? '');
  }

  /** The names of all parameters. */
  get names(): string[] {
    return [...new Set(this.#values.keys())];
  }

  text(name: string): string | undefined {
    return this.#values.get(name) ?? undefined;
  }

  all(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** `true` or `false`. @throws {@link ServerError} for anything else. */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text === 'true' || text === 'false') return text === 'true';
    throw protocolError(`Expected true or false for ${name} but received ${text}`);
  }

  /** A whole number. @throws {@link ServerError} for anything else. */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw protocolError(`Expected a whole number from ${min} to ${max} for ${name} but received ${text}`);
  }
}

/** Most phrases that a client may ask to listen for. */
const MOST_PHRASES = 500;

/** Phrases to listen for, each with an optional weight behind a colon, which is Deepgram's: 0 to 20 here. */
export function phrasesOf(texts: readonly string[]): BoostPhrase[] {
  if (texts.length > MOST_PHRASES) throw protocolError(`Expected at most ${MOST_PHRASES} phrases`);
  return texts
    .map((text) => /^(.*?)(?::(\d+(?:\.\d+)?))?$/s.exec(text.trim()) ?? [])
    .filter(([, phrase = '']) => phrase.trim() !== '')
    .map(([, phrase = '', weight]) => ({
      phrase: phrase.trim(),
      ...(weight !== undefined && { weight: Math.min(20, Number(weight)) }),
    }));
}
