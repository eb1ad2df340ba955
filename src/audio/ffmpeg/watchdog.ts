/**
 * Ends a child process when ours is gone, however that happened: a process killed by a signal runs no handler, and a child that
 * waits for a network does not notice. A shell waits for the end of a pipe that only we hold, then kills. POSIX only.
 */
import type { execa } from 'execa';

/** Watches over the process `pid` until {@link release}. */
export class Watchdog {
  readonly #end: (() => void) | undefined;

  constructor(pid: number, run: typeof execa) {
    if (process.platform === 'win32') return;
    // A group of its own: a Ctrl-C at the terminal, which ends us, must not end it before us.
    const shell = run('/bin/sh', ['-c', 'read -r _; kill -9 "$1"', 'watchdog', String(pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      // Without a shell there is no watchdog, which does no harm.
      reject: false,
      killSignal: 'SIGKILL',
    });
    shell.unref();
    (shell.stdin as { unref?: () => void } | null)?.unref?.();
    this.#end = () => {
      shell.kill();
      shell.stdin?.destroy();
    };
  }

  /** The process is gone, or will go by itself. */
  release(): void {
    this.#end?.();
  }
}
