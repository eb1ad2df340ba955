/** The sessions of a server's pages. Each is kept for a while after its connection or its transcript is over, so that its client can come back. */
import { randomUUID } from 'node:crypto';
import type { CaptionSession, Listener } from './session.js';

/** Seconds for which a session waits for its client. */
export const RESUME_SECONDS = 90;
/** Milliseconds between two signs of life of a session that waits. */
const KEEP_ALIVE = 500;

interface Entry {
  session: CaptionSession;
  /** Runs while nobody is connected. */
  timer: NodeJS.Timeout | undefined;
  /** `performance.now()` when it was left. */
  leftAt: number;
}

export class CaptionSessions {
  readonly #entries = new Map<string, Entry>();
  readonly #resumeSeconds: number;

  constructor(resumeSeconds = RESUME_SECONDS) {
    this.#resumeSeconds = resumeSeconds;
  }

  /** Sessions that can be resumed. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a session; gives the id by which its client comes back. */
  add(session: CaptionSession, id: string = randomUUID()): string {
    this.#entries.set(id, { session, timer: undefined, leftAt: 0 });
    return id;
  }

  /** The session with this id, if it is this client's. */
  find(id: unknown, client: string): CaptionSession | undefined {
    const entry = typeof id === 'string' ? this.#entries.get(id) : undefined;
    if (entry?.session.client !== client) return undefined;
    clearInterval(entry.timer);
    entry.timer = undefined;
    return entry.session;
  }

  /** The client's connection is gone: the session waits for it, then ends. */
  leave(id: string, listener: Listener): void {
    const entry = this.#entries.get(id);
    if (!entry?.session.detach(listener)) return;
    entry.leftAt = performance.now();
    entry.timer = setInterval(() => this.#wait(id, entry), KEEP_ALIVE);
    entry.timer.unref();
  }

  /** The server stops: nobody will come back. */
  close(): void {
    for (const { timer, session } of this.#entries.values()) {
      clearInterval(timer);
      session.finish();
    }
    this.#entries.clear();
  }

  #wait(id: string, { session, timer, leftAt }: Entry): void {
    if (performance.now() - leftAt < this.#resumeSeconds * 1000) session.keepAlive();
    else {
      clearInterval(timer);
      session.finish();
      this.#entries.delete(id);
    }
  }
}
