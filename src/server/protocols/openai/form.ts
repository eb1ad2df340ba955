/** The fields of OpenAI's transcription form, in any order, and what they are here. */
import type { BoostPhrase } from '../../../index.js';
import { protocolError } from '../../sockets/messages.js';

/** The forms of the answer. */
const FORMATS = ['json', 'text', 'srt', 'vtt', 'verbose_json'] as const;
export type ResponseFormat = (typeof FORMATS)[number];
const GRANULARITIES = ['word', 'segment'] as const;
/** What has an effect here; of the rest the client is told that it has none. */
const USED = [
  'model',
  'prompt',
  'response_format',
  'timestamp_granularities[]',
  'timestamp_granularities',
  'stream',
];
/** Phrases in a prompt are separated by these. */
const SEPARATORS = /[,;.!?\n]+/;
/** More words than this are no phrase but a text. */
const MOST_WORDS = 6;
const MOST_LETTERS = 100;
const MOST_PHRASES = 200;

export class TranscriptionForm {
  readonly #fields = new Map<string, string[]>();

  add(name: string, value: string): void {
    const values = this.#fields.get(name) ?? [];
    values.push(value);
    this.#fields.set(name, values);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** @throws {@link ServerError} for another one. */
  get format(): ResponseFormat {
    const text = this.#first('response_format') ?? 'json';
    const found = FORMATS.find((format) => format === text);
    if (found) return found;
    throw protocolError(`Expected one of ${FORMATS.join(', ')} for response_format but received ${text}`);
  }

  /** Whether words are sent as they come. */
  get stream(): boolean {
    const text = this.#first('stream') ?? 'false';
    if (text !== 'true' && text !== 'false')
      throw protocolError(`Expected true or false for stream but received ${text}`);
    return text === 'true' && ['json', 'text'].includes(this.format);
  }

  /** Which parts `verbose_json` has. @throws {@link ServerError} for others. */
  get granularities(): readonly (typeof GRANULARITIES)[number][] {
    const texts = [
      ...(this.#fields.get('timestamp_granularities[]') ?? []),
      ...(this.#fields.get('timestamp_granularities') ?? []),
    ];
    if (texts.length === 0) return ['segment'];
    return texts.map((text) => {
      const found = GRANULARITIES.find((one) => one === text);
      if (found) return found;
      throw protocolError(`Expected word or segment for timestamp_granularities[] but received ${text}`);
    });
  }

  get language(): string | undefined {
    return this.#first('language');
  }

  /** The phrases of the prompt. */
  get boost(): BoostPhrase[] {
    return phrasesOfPrompt(this.#first('prompt') ?? '');
  }

  /** For a `warning` header: fields that have no effect. */
  get ignored(): string[] {
    return [...this.#fields.keys()].filter((name) => !USED.includes(name));
  }

  #first(name: string): string | undefined {
    return this.#fields.get(name)?.[0];
  }
}

/**
 * A prompt as phrases to listen for: what stands between its marks, if that is short enough to be a name or a term. Running text, which
 * whisper takes as what was said before, is none.
 */
export function phrasesOfPrompt(prompt: string): BoostPhrase[] {
  const phrases = prompt
    .split(SEPARATORS)
    .map((phrase) => phrase.trim())
    .filter(
      (phrase) => phrase !== '' && phrase.length <= MOST_LETTERS && phrase.split(/\s+/).length <= MOST_WORDS,
    );
  return [...new Set(phrases)].slice(0, MOST_PHRASES).map((phrase) => ({ phrase }));
}
