/**
 * The sink that writes JSON lines: one event per line, each line in one write, for programs that follow the file.
 */
import type { TranscriptEvent } from '../events.js';
import { expected, oneOf } from '../options.js';
import type { SinkTarget } from './destination.js';
import { jsonSentence, jsonToken } from './format.js';
import { type Previous, previousLines } from './previous.js';
import { checkFileSinkOptions, type FileSinkOptions, Sink } from './sink.js';

/** Options of {@link jsonlWriter}. */
export interface JsonlOptions extends FileSinkOptions {
  /**
   * Which events become lines.
   * @defaultValue `['sentence']`
   */
  types?: readonly TranscriptEvent['type'][] | undefined;
}

/** All of them: a misspelt one would produce a file without lines. */
const EVENT_TYPES = [
  'token',
  'draft',
  'sentence',
  'progress',
  'speechStart',
  'speechEnd',
  'endOfUtterance',
  'backchannel',
  'lag',
  'gap',
  'end',
  'left',
] as const satisfies readonly TranscriptEvent['type'][];

class JsonlWriter extends Sink {
  readonly #types: ReadonlySet<string>;

  constructor(target: unknown, options: JsonlOptions) {
    checkFileSinkOptions('jsonlWriter', options, ['types']);
    const types: unknown = options.types ?? ['sentence'];
    if (!Array.isArray(types))
      throw expected('an array of event types', 'types', types, "For example ['token', 'sentence', 'end']");
    for (const type of types) oneOf('types', type, EVENT_TYPES);
    super(target, options);
    this.#types = new Set(types as string[]);
  }

  protected override readPrevious(path: string): Promise<Previous> {
    return previousLines(path);
  }

  protected override async begin(): Promise<void> {
    if (this.previous.separator !== '') await this.text(this.previous.separator);
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    if (this.#types.has(event.type)) await this.text(`${JSON.stringify(plain(event))}\n`);
  }
}

/** An event as its line: flat for a token and a sentence, with three decimals. */
function plain(event: TranscriptEvent): object {
  switch (event.type) {
    case 'sentence':
      return { type: 'sentence', ...jsonSentence(event.sentence, event.speaker) };
    case 'token':
      return {
        type: 'token',
        ...(event.speaker === undefined ? {} : { speaker: event.speaker }),
        ...jsonToken(event.token),
      };
    case 'left':
      // An Error has no own fields that JSON would include.
      return { ...event, ...(event.error ? { error: { message: event.error.message } } : {}) };
    case 'draft':
      return { ...event, tokens: event.tokens.map(jsonToken) };
    default:
      return event;
  }
}

/**
 * Makes a Writable of transcript events that writes them as JSON lines (`.jsonl`): by default each sentence as
 * `{"type":"sentence","text",…,"tokens":[…]}`.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is
 * the system's error when a write fails.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { jsonlWriter, parakeet } from 'parakeet-stream';
 *
 * const sink = jsonlWriter('talk.jsonl', { types: ['token', 'sentence'] });
 * await pipeline(createReadStream('talk.flac'), parakeet(), sink);
 * ```
 */
export function jsonlWriter(target: SinkTarget, options: JsonlOptions = {}): Sink {
  return new JsonlWriter(target, options);
}
