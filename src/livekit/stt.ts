/**
 * The speech-to-text class for LiveKit's agents: its options, its model, and its streams.
 */
import { randomUUID } from 'node:crypto';
import type { APIConnectOptions, stt } from '@livekit/agents';
import { checkModel, checkTranscription, type TranscriptionOptions } from '../composition/options.js';
import { AbortedError, ClosedError } from '../errors.js';
import { loadModel } from '../load-model.js';
import type { BoostPhrase } from '../model/boost.js';
import { canSpell } from '../model/boost-tree.js';
import type { Model } from '../model.js';
import { expected, known } from '../options.js';
import { agents } from './agents.js';
import { finalOf } from './speech-events.js';
import { SpeechStream } from './speech-stream.js';

/** Options of {@link STT}: those of a live transcription, for all its streams. */
export interface STTOptions
  extends Pick<
    TranscriptionOptions,
    | 'latency'
    | 'decoding'
    | 'sentences'
    | 'utterances'
    | 'silence'
    | 'normalization'
    | 'lagPolicy'
    | 'drafts'
    | 'refine'
  > {
  /**
   * A loaded model, or the name of one (a folder or a hub repository), which is loaded for the first stream and kept until `close()`.
   * @defaultValue the bundled model, or the one that `PARAKEET_MODEL` names
   */
  model?: Model | string | undefined;
  /**
   * The language of the transcripts as LiveKit's turn detectors are told it: the model does not report one.
   * @defaultValue `'en'`
   */
  language?: string | undefined;
}

const streamKeys = [
  'latency',
  'decoding',
  'sentences',
  'utterances',
  'silence',
  'normalization',
  'lagPolicy',
  'drafts',
  'refine',
] as const;

/** A frame, or frames that belong together. */
type Frames = Parameters<stt.STT['recognize']>[0];

/**
 * Speech to text for agents of `@livekit/agents`: interim and final transcripts with words and times, start and end of speech, `flush()`.
 * One instance serves any number of rooms, whose streams share the model.
 *
 * A sentence is a final transcript. Speech ends by the rules of `utterances`, so agents can use it as `turnDetection: 'stt'`. The agent's
 * key terms are boosted together with `decoding.boost`.
 *
 * @example
 * ```js no-run
 * import { voice } from '@livekit/agents';
 * import { STT } from 'parakeet-stream/livekit';
 *
 * const stt = new STT({ latency: 'low' });
 * await stt.prewarm(); // loads the model
 * const session = new voice.AgentSession({ stt, turnDetection: 'stt' });
 * ```
 */
export class STT extends agents.stt.STT {
  label = 'parakeet.STT';
  readonly #options: STTOptions;
  readonly #streams = new Set<SpeechStream>();
  #keyterms: readonly string[] = [];
  #loading: Promise<Model> | undefined;
  readonly #aborter = new AbortController();

  /** @throws {@link ArgumentError} for invalid options. */
  constructor(options: STTOptions = {}) {
    const { model, language, ...others } = known('STT', options, ['model', 'language', ...streamKeys]);
    checkTranscription(others);
    checkModel(model, 'file');
    if (language !== undefined && (typeof language !== 'string' || language === ''))
      throw expected("a language's code, such as 'en',", 'language', language);
    super({
      streaming: true,
      interimResults: options.drafts ?? true,
      alignedTranscript: 'word',
      keyterms: true,
    });
    this.#options = options;
  }

  /** The name of the model. */
  override get model(): string {
    const { model } = this.#options;
    return typeof model === 'string' ? model : (model?.identity ?? 'parakeet');
  }

  override get provider(): string {
    return 'parakeet-stream';
  }

  /** Loads the model, so that the first stream does not wait for it. @throws {@link ModelError} as a rejection. */
  async prewarm(): Promise<void> {
    await this.#loaded();
  }

  /** Makes a stream: push frames, and read its events. */
  override stream({ connOptions }: { connOptions?: APIConnectOptions } = {}): SpeechStream {
    if (this.#aborter.signal.aborted) throw closed();
    const stream: SpeechStream = new SpeechStream(
      this,
      {
        language: this.#language,
        options: async () => {
          const model = await this.#loaded();
          return { ...this.#transcription(model), model };
        },
        onClose: () => this.#streams.delete(stream),
      },
      connOptions,
    );
    this.#streams.add(stream);
    return stream;
  }

  /** Closes all streams, and frees the model if it was loaded here. */
  override async close(): Promise<void> {
    this.#aborter.abort();
    for (const stream of this.#streams) stream.close();
    const model = await this.#loading?.catch(() => undefined);
    await model?.close();
  }

  /** LiveKit's: key terms of the session, detected or given. @internal */
  override _updateSessionKeyterms(keyterms: string[]): void {
    this.#keyterms = keyterms;
    if (this.#streams.size > 0) this.#updateBoost().catch(() => {});
  }

  async #updateBoost(): Promise<void> {
    const phrases = this.#boost(await this.#loaded());
    await Promise.all([...this.#streams].map((stream) => stream.setBoost(phrases)));
  }

  /** A whole utterance at once, with full context. */
  protected override async _recognize(frames: Frames, signal?: AbortSignal): Promise<stt.SpeechEvent> {
    const list = Array.isArray(frames) ? frames : [frames];
    const { sampleRate, channels } = list[0] ?? { sampleRate: 16_000, channels: 1 };
    if (list.some((frame) => frame.sampleRate !== sampleRate || frame.channels !== channels))
      throw expected('frames of one rate and number of channels', 'frames', list.length);
    const bytes = Buffer.concat(
      list.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    );
    const model = await this.#loaded();
    const { sentences, decoding } = this.#transcription(model);
    const input = { format: 's16le', sampleRate, channels } as const;
    const result = await model.transcribe(bytes, { input, sentences, decoding, signal });
    return finalOf(result, { requestId: randomUUID(), language: this.#language, offset: 0 });
  }

  get #language(): string {
    return this.#options.language ?? 'en';
  }

  /** Key terms come from others: those that the model cannot spell are left out. */
  #boost({ info }: Model): BoostPhrase[] {
    const terms = this.#keyterms.filter((term) => canSpell(info.vocabulary, { phrase: term }));
    return [...(this.#options.decoding?.boost ?? []), ...terms.map((phrase) => ({ phrase }))];
  }

  #transcription(model: Model): Omit<STTOptions, 'model' | 'language'> {
    const { model: _model, language: _language, utterances = true, decoding, ...options } = this.#options;
    return { ...options, utterances, decoding: { ...decoding, boost: this.#boost(model) } };
  }

  /** The loaded model; one that could not be loaded is tried again. */
  async #loaded(): Promise<Model> {
    const { model } = this.#options;
    if (this.#aborter.signal.aborted) throw closed();
    if (typeof model === 'object') return model;
    this.#loading ??= loadModel(model, { signal: this.#aborter.signal });
    try {
      return await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      if (error instanceof AbortedError) throw closed();
      throw error;
    }
  }
}

const closed = (): ClosedError => new ClosedError('The speech-to-text instance is closed. Make a new one.');
