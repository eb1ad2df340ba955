/**
 * Progress on stderr: one line, redrawn in place on a terminal, nothing at all in a pipe or a file. It knows nothing of the work itself.
 *
 * Not `cli-progress` (3.12): its bar keeps the event loop alive with a timer until it is stopped, so that late progress, after an abort,
 * would keep the command from ending; and it has no line for work of unknown length, so that its output would have to be made here anyway.
 */
import type { WriteStream } from 'node:tty';
import type { HubProgress } from '../hub/hub.js';

const WIDTH = 30;
const CLEAR = '\r\x1b[2K';

export class ProgressBar {
  #drawn = false;
  readonly #stream: WriteStream | undefined;

  constructor(stream: NodeJS.WriteStream, quiet = false) {
    this.#stream = stream.isTTY && !quiet ? stream : undefined;
  }

  /** Shows that `done` of the work (0 to 1) is finished. */
  update(done: number, label: string): void {
    const part = Math.min(Math.max(done, 0), 1);
    const filled = Math.round(part * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    this.line(`${bar} ${String(Math.floor(part * 100)).padStart(3)} % ${label}`);
  }

  /** Shows a line of text instead of a bar. */
  line(text: string): void {
    if (this.#stream === undefined) return;
    this.#stream.write(`${CLEAR}${text.slice(0, (this.#stream.columns || 80) - 1)}`);
    this.#drawn = true;
  }

  /** Shows the progress of downloading a model: for `onProgress`. */
  readonly fetched = ({ file, loaded, total, retryIn }: HubProgress): void => {
    if (retryIn !== undefined) this.line(`The hub is busy, next attempt in ${clock(retryIn)}`);
    else this.update(total === 0 ? 1 : loaded / total, file);
  };

  /** Removes the line, so that something else can be written. */
  clear(): void {
    if (this.#drawn) this.#stream?.write(CLEAR);
    this.#drawn = false;
  }
}

/** The progress of a recording, in seconds. */
export class AudioProgress {
  #began: number;

  /**
   * @param now Milliseconds on a clock.
   */
  constructor(
    private readonly bar: ProgressBar,
    private readonly label: string,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#began = now();
    this.update(0);
  }

  /** Shows that `seconds` of the audio are transcribed, of `total` if that is known. */
  update(seconds: number, total?: number): void {
    const { label } = this;
    if (total === undefined || total <= 0) {
      this.bar.line(`${clock(seconds)} ${label}`);
      return;
    }
    // The length in a container may be slightly less than the real one.
    const done = Math.min(seconds, total);
    const passed = (this.now() - this.#began) / 1000;
    const left = done > 0 ? `, ${clock((passed * (total - done)) / done)} left` : '';
    this.bar.update(done / total, `${clock(done)} of ${clock(total)}${left} ${label}`);
  }
}

/** `1:05`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
