/**
 * A Readable of bytes over anything that returns pieces one by one. Unlike `Readable.from` it checks each piece, and destroying it does not
 * wait for a piece that may never come.
 */
import { Readable } from 'node:stream';

/** Where pieces come from. */
export interface Pieces {
  /** The next piece; `undefined` at the end. */
  next(): Promise<{ piece: unknown } | undefined>;
  /** No further piece is wanted. */
  stop(error: Error | undefined): unknown;
}

/** Bytes from `pieces`. A piece that `check` rejects, or a failure of `pieces`, destroys the stream with that error. */
export class PieceReader extends Readable {
  readonly #pieces: Pieces;
  readonly #check: (piece: unknown) => Uint8Array;
  #over = false;

  constructor(pieces: Pieces, check: (piece: unknown) => Uint8Array) {
    super();
    this.#pieces = pieces;
    this.#check = check;
  }

  /** Node's. @internal */
  override _read(): void {
    this.#pull().catch((error: Error) => this.destroy(error));
  }

  async #pull(): Promise<void> {
    for (;;) {
      const next = await this.#pieces.next();
      if (this.destroyed) return;
      if (!next) {
        this.#over = true;
        this.push(null);
        return;
      }
      const bytes = this.#check(next.piece);
      // An empty piece does not make Node read again.
      if (bytes.length === 0) continue;
      this.push(bytes);
      return;
    }
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Not awaited: a generator answers only when its current piece has come.
    if (!this.#over) Promise.resolve(this.#stop(error)).catch(() => {});
    callback(error);
  }

  async #stop(error: Error | null): Promise<void> {
    await this.#pieces.stop(error ?? undefined);
  }
}
