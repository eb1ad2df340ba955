/**
 * What a writer of transcripts has written, in memory: valid at any moment, as each of its writes is a complete record. The oldest records
 * are forgotten; a header stays.
 */
import { Writable } from 'node:stream';

/** More than six hours of speech. */
const MOST_BYTES = 1024 * 1024;

export class TextLog extends Writable {
  readonly #mostBytes: number;
  readonly #header: string | undefined;
  #records: string[] = [];
  #bytes = 0;

  /**
   * @param header The first write, if the format has a header, else undefined.
   * @param mostBytes Most bytes that are kept.
   */
  constructor(header?: string, mostBytes = MOST_BYTES) {
    super({ decodeStrings: false });
    this.#header = header;
    this.#mostBytes = mostBytes;
  }

  /** The records that are kept. */
  get records(): readonly string[] {
    return this.#records;
  }

  /** Header and records. */
  get text(): string {
    return (this.#header ?? '') + this.#records.join('');
  }

  /** Node's. @internal */
  override _write(chunk: string | Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const record = chunk.toString();
    if (record !== this.#header) {
      this.#records.push(record);
      this.#bytes += Buffer.byteLength(record);
    }
    while (this.#bytes > this.#mostBytes) this.#bytes -= Buffer.byteLength(this.#records.shift() ?? '');
    callback();
  }
}
