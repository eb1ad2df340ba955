/**
 * A peer of bench/encoder.mjs: a process that answers jobs with seconds. A peer that cannot start (its packages are not
 * installed) is skipped without an error.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Peer {
  #child;
  #lines;
  /** Its message when it was ready. */
  ready;

  /** Starts a command; resolves with `null` when it ends before it is ready. Its complaints are shown with `loud`. */
  static async start(command, args, { env = {}, loud = false } = {}) {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', loud ? 'inherit' : 'ignore'],
    });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    const peer = new Peer(child);
    peer.ready = await peer.#answer();
    return peer.ready === undefined ? null : peer;
  }

  constructor(child) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Runs one job; `undefined` when the peer crashed. */
  async run(job) {
    this.#child.stdin.write(`${JSON.stringify(job)}\n`);
    return this.#answer();
  }

  async close() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async #answer() {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) return undefined;
      if (value.startsWith('{')) return JSON.parse(value);
    }
  }
}
