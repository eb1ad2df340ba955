/**
 * Every kind of audio source, opened as one Readable of bytes. `decode` finds out what the bytes are; samples in a `Float32Array` are not
 * bytes and are recognised here.
 */
import { Readable } from 'node:stream';
import { pcmEncodings } from '../audio/formats/pcm.js';
import type { AudioFormat } from '../audio/input-options.js';
import { ClosedError } from '../errors.js';
import { expected, received } from '../options.js';
import { type Excerpt, type OpenedAudio, openAudioFile } from './audio-file.js';
import { ffmpeg } from './ffmpeg.js';
import { PieceReader, type Pieces } from './piece-reader.js';

/** A piece of a sound file or of raw PCM. */
export type AudioBytes = Uint8Array | ArrayBuffer | SharedArrayBuffer | DataView;

/**
 * Audio: the path or `file:` URL of a file, an `http(s)` URL (read by ffmpeg), the file's bytes, a Blob or File, a Response or Request that
 * carries it, a Node or web stream, or an iterable of bytes; or mono samples in [-1, 1] at the model's rate in a `Float32Array`. With a raw
 * PCM `format`, a typed array of samples counts as its bytes.
 */
export type AudioSource =
  | string
  | URL
  | AudioBytes
  | Float32Array
  | Blob
  | Response
  | Request
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<AudioBytes>
  | Iterable<AudioBytes>;

/** Options of opening a source. */
export interface OpenOptions extends Excerpt {
  format?: AudioFormat | undefined;
}

const ACCEPTED =
  'a path or URL, bytes, a Blob, a Response, a stream or an iterable of bytes, or a Float32Array of samples';

/** The samples of a source that is neither a file nor bytes; `undefined` for any other. Accepts objects of other realms. */
export function samplesIn(source: unknown, format?: AudioFormat): Float32Array | undefined {
  return isPcmFormat(format) ? undefined : asFloat32Array(source);
}

/** @throws {@link ArgumentError} for anything but a `Float32Array` (of any realm): bytes are not samples. */
export function asSamples(option: string, value: unknown): Float32Array {
  const samples = asFloat32Array(value);
  if (samples) return samples;
  const remedy = asBytes(value)
    ? 'These are bytes: pipe them through parakeet(), or give them to model.transcribe().'
    : ArrayBuffer.isView(value)
      ? 'Convert the samples to floats in [-1, 1] first.'
      : '';
  throw expected('a Float32Array of mono samples', option, value, remedy);
}

/**
 * Opens any source but samples for `decode`.
 *
 * @throws {@link ArgumentError} for anything that is not audio, or a stream that is already being read.
 * @throws {@link ClosedError} `ERR_PARAKEET_CLOSED` for a stream that has already ended. Node's own error for a file that cannot be opened.
 */
export async function openAudio(source: unknown, options: OpenOptions): Promise<OpenedAudio> {
  const { format, ...excerpt } = options;
  if (isWebAddress(source)) return { bytes: ffmpeg(String(source), excerpt), excerpt: {} };
  if (typeof source === 'string' || isFileUrl(source)) return openAudioFile(source, format, excerpt);
  return { bytes: readable(source, isPcmFormat(format)), excerpt };
}

function readable(source: unknown, pcm: boolean): Readable {
  if (typeof source !== 'object' || source === null) throw expected(ACCEPTED, 'source', source);
  if (isNodeStream(source)) return nodeStream(source);
  const bytes = asBytes(source) ?? (pcm && ArrayBuffer.isView(source) ? bytesOf(source) : undefined);
  if (bytes) return new PieceReader(iteratorOf([bytes]), checkedPiece);
  if (ArrayBuffer.isView(source)) {
    const remedy =
      "For PCM, name it: { format: 's16le', sampleRate }. For samples, convert them to a Float32Array in [-1, 1].";
    throw expected(ACCEPTED, 'source', source, remedy);
  }
  if (isBlob(source)) return webStream(source.stream());
  if (isMessage(source)) return message(source);
  if (isWebStream(source)) return webStream(source);
  if (Symbol.asyncIterator in source || Symbol.iterator in source) {
    return new PieceReader(iteratorOf(source as Iterable<unknown>), checkedPiece);
  }
  throw expected(ACCEPTED, 'source', source);
}

function nodeStream(source: Readable): Readable {
  if (source.destroyed || source.readableEnded) {
    throw new ClosedError(
      'Expected a source that is open but it has ended or was destroyed already. Open it again.',
      source.errored ? { cause: source.errored } : undefined,
    );
  }
  if (source.readableEncoding) {
    const remedy = 'Text cannot carry sound: leave setEncoding() out.';
    throw expected(
      'a stream of bytes',
      'source',
      `a stream with encoding ${source.readableEncoding}`,
      remedy,
    );
  }
  // Passed on unchanged: our own sources report more through their events. Pieces that are objects are checked one by one.
  if (!source.readableObjectMode) return source;
  return new PieceReader(
    { next: nextOf(source[Symbol.asyncIterator]()), stop: (error) => void source.destroy(error) },
    checkedPiece,
  );
}

function webStream(stream: ReadableStream<unknown>): Readable {
  if (stream.locked) {
    throw expected(
      'a stream that is not being read already',
      'source',
      stream,
      'It has a reader: its lock is taken.',
    );
  }
  const reader = stream.getReader();
  const next = async () => {
    const { done, value } = await reader.read();
    return done ? undefined : { piece: value };
  };
  return new PieceReader({ next, stop: (error) => reader.cancel(error) }, checkedPiece);
}

/** The body of a Response or Request. */
function message(source: Response | Request): Readable {
  if ('ok' in source && !source.ok) {
    throw received('a successful Response', 'source', `status ${source.status} ${source.statusText}`.trim());
  }
  if (source.bodyUsed || !source.body) {
    const state = source.bodyUsed ? 'one whose body has already been read' : 'one without a body';
    throw received('a Response or Request with sound in its body', 'source', state);
  }
  return webStream(source.body);
}

/** @throws {@link ArgumentError} for a piece that is not bytes. */
function checkedPiece(piece: unknown): Uint8Array {
  const bytes = asBytes(piece);
  if (bytes) return bytes;
  const remedy = asFloat32Array(piece)
    ? 'These are samples: give them to model.transcribe() as one Float32Array, or to addAudio().'
    : '';
  throw expected('bytes', 'the pieces of the source', piece, remedy);
}

function iteratorOf(source: Iterable<unknown> | AsyncIterable<unknown>): Pieces {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return { next: nextOf(iterator), stop: async () => void (await iterator.return?.()) };
}

function nextOf(iterator: AsyncIterator<unknown> | Iterator<unknown>): Pieces['next'] {
  return async () => {
    const { done, value } = await iterator.next();
    return done ? undefined : { piece: value };
  };
}

function isPcmFormat(format: AudioFormat | undefined): boolean {
  return pcmEncodings.some((name) => name === format);
}

// Recognised by tag and shape, not by `instanceof`: they may come from another realm (vm, jsdom, Electron) or library.

/** The bytes in `value`, not copied; `undefined` when it holds none. */
function asBytes(value: unknown): Uint8Array | undefined {
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]') {
    return new Uint8Array(value as ArrayBuffer);
  }
  const bytes = ['[object Uint8Array]', '[object Uint8ClampedArray]', '[object DataView]'].includes(tag);
  return bytes && ArrayBuffer.isView(value) ? bytesOf(value) : undefined;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function asFloat32Array(value: unknown): Float32Array | undefined {
  if (value instanceof Float32Array) return value;
  if (Object.prototype.toString.call(value) !== '[object Float32Array]') return undefined;
  const { buffer, byteOffset, length } = value as Float32Array;
  return new Float32Array(buffer, byteOffset, length);
}

function isWebAddress(source: unknown): source is string | URL {
  return /^https?:\/\//i.test(typeof source === 'string' || source instanceof URL ? String(source) : '');
}

function isFileUrl(source: unknown): source is URL {
  if (!(source instanceof URL)) return false;
  if (source.protocol === 'file:') return true;
  throw expected('a file:, http: or https: URL', 'source', source);
}

function isNodeStream(source: object): source is Readable {
  if (source instanceof Readable) return true;
  const { pipe, on } = source as Partial<Readable>;
  return typeof pipe === 'function' && typeof on === 'function' && 'readableObjectMode' in source;
}

function isBlob(source: object): source is Blob {
  const { stream, arrayBuffer } = source as Partial<Blob>;
  return typeof stream === 'function' && typeof arrayBuffer === 'function';
}

function isMessage(source: object): source is Response | Request {
  return 'bodyUsed' in source && 'body' in source && 'arrayBuffer' in source;
}

function isWebStream(source: object): source is ReadableStream<unknown> {
  return typeof (source as Partial<ReadableStream>).getReader === 'function';
}
