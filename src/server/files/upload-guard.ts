/** The bytes of an upload on their way to the decoder: no more than allowed, and not from a sender that stands still. */
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { ServerError } from '../../index.js';

/** What {@link UploadGuard} watches. */
export interface UploadLimits {
  /** Most bytes. */
  most: number;
  /** Seconds within which the next bytes must come, while they are wanted. */
  idle: number;
  /** Sees the bytes on their way, before anybody reads them. */
  inspect?: (bytes: Buffer) => Promise<void> | void;
}

export class UploadGuard extends Transform {
  readonly #limits: UploadLimits;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;

  constructor(limits: UploadLimits) {
    super();
    this.#limits = limits;
  }

  /** The guarded bytes of `source`, whose failure is theirs. */
  static of(source: Readable, limits: UploadLimits): UploadGuard {
    return pipeline(source, new UploadGuard(limits), () => {});
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#bytes += chunk.length;
    this.#wait(false);
    this.#check(chunk).then(() => {
      callback(null, chunk);
      this.#wait(this.readableLength < this.readableHighWaterMark);
    }, callback);
  }

  override _read(size: number): void {
    this.#wait(true);
    super._read(size);
  }

  override _flush(callback: TransformCallback): void {
    this.#wait(false);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#wait(false);
    callback(error);
  }

  async #check(chunk: Buffer): Promise<void> {
    if (this.#bytes > this.#limits.most) throw tooLarge(this.#limits.most);
    await this.#limits.inspect?.(chunk);
  }

  /** Only time in which bytes are wanted is the sender's. */
  #wait(wanted: boolean): void {
    clearTimeout(this.#timer);
    if (!wanted || this.destroyed || this.writableFinished) return;
    const { idle } = this.#limits;
    this.#timer = setTimeout(() => this.destroy(silent(idle)), idle * 1000);
    this.#timer.unref();
  }
}

function tooLarge(most: number): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected at most ${most} bytes but received more. Send the file in parts, or compress it.`,
  );
}

function silent(seconds: number): ServerError {
  const error = new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected the rest of the upload but nothing came for ${seconds} s. Send it again.`,
  );
  return Object.assign(error, { statusCode: 408 });
}
