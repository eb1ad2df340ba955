/**
 * A progress bar on stderr: one line, redrawn in place on a terminal, nothing at all in a pipe or a file.
 */
import type { WriteStream } from 'node:tty';
import type { HubProgress } from '../model/hub.js';

const WIDTH = 30;

export class ProgressBar {
  #drawn = false;
  readonly #stream: WriteStream | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream.isTTY ? stream : undefined;
  }

  /** Shows that `done` of the work (0 to 1) is behind us. */
  update(done: number, label: string): void {
    if (this.#stream === undefined) return;
    const part = Math.min(Math.max(done, 0), 1);
    const filled = Math.round(part * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    const line = `${bar} ${String(Math.floor(part * 100)).padStart(3)} % ${label}`;
    this.#stream.write(`\r\x1b[2K${line.slice(0, (this.#stream.columns || 80) - 1)}`);
    this.#drawn = true;
  }

  /** Shows how far a model is fetched: for `onProgress`. */
  readonly fetched = ({ file, loaded, total }: HubProgress): void =>
    this.update(total === 0 ? 1 : loaded / total, file);

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#drawn) this.#stream?.write('\r\x1b[2K');
    this.#drawn = false;
  }
}
