/**
 * Requests to end a command: Ctrl-C, SIGTERM and SIGHUP alike, and a reader of its output that has gone away. A command may finish its work
 * properly at the first request; the next one stops it, and one more ends the process.
 */
import { AbortedError } from '../errors.js';
import { type EndSignal, SIGNALS, type Terminal } from './terminal.js';

/** Exit codes as shells report them: 128 plus the signal's number. */
const CODES: Record<EndSignal | 'SIGPIPE', number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 };

export class Ending {
  readonly #terminal: Terminal;
  readonly #controller = new AbortController();
  readonly #listeners: [EndSignal, () => void][] = [];
  #code: number | undefined;
  #gracefully: (() => void) | undefined;
  #watched = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    // A process that runs as PID 1 in a container has no other way to receive them.
    for (const signal of SIGNALS) {
      const listener = () => this.#asked(CODES[signal]);
      this.#listeners.push([signal, listener]);
      terminal.on(signal, listener);
    }
    terminal.stdout.on('error', this.#onOutputError);
    // Progress that cannot be shown is not a failure.
    terminal.stderr.on('error', ignore);
  }

  /** Aborted when the work must stop. Code that reads this must observe the signal. */
  get signal(): AbortSignal {
    this.#watched = true;
    return this.#controller.signal;
  }

  /** The exit code of the first request, if one came. */
  get code(): number | undefined {
    return this.#code;
  }

  /** From now on the first request calls `end`, and only the next one aborts. `undefined`: the first one aborts again. */
  onFirst(end: (() => void) | undefined): void {
    this.#gracefully = end;
  }

  /** The request was what the command runs for, and is carried out: it does not show in the exit code. */
  forget(): void {
    this.#code = undefined;
  }

  /** Stops listening. */
  dispose(): void {
    for (const [signal, listener] of this.#listeners) this.#terminal.off(signal, listener);
    this.#terminal.stdout.off('error', this.#onOutputError);
    this.#terminal.stdout.on('error', ignore);
  }

  #asked(code: number): void {
    const first = this.#code === undefined;
    this.#code ??= code;
    if (first && this.#gracefully) this.#gracefully();
    // On another request after that, the process exits at once.
    else if (this.#watched && !this.#controller.signal.aborted)
      this.#controller.abort(new AbortedError('Interrupted'));
    else this.#terminal.exit(code);
  }

  readonly #onOutputError = (error: NodeJS.ErrnoException): void => {
    // As a C program ends when it writes to a closed pipe. Other failures are reported by the writer.
    if (error.code !== 'EPIPE') return;
    this.#code ??= CODES.SIGPIPE;
    this.#controller.abort(new AbortedError('The reader of the standard output has gone away'));
  };
}

function ignore(): void {}
