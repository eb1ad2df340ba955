/**
 * Requests to the hub that wait when it has too many, as long as it says. What is asked, and what the answers mean, is hub.ts's matter.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubError } from '../errors.js';

/** How often one thing is asked. */
export const ATTEMPTS = 5;
/** Seconds that one wait may take: the hub counts requests in windows of five minutes. */
const LONGEST_WAIT = 300;

/** A `fetch` for `@huggingface/hub`. */
export class PatientFetch {
  /** Why it gave up. Who reads a body through `@huggingface/hub` is told no more than the message. */
  gaveUp: HubError | undefined;

  /** @param attempts how often one thing is asked before it is given up. */
  constructor(
    private readonly attempts: number,
    private readonly signal?: AbortSignal | undefined,
    /** Told each second of a wait how many are left. */
    private readonly onWait?: ((secondsLeft: number) => void) | undefined,
  ) {}

  /** @throws {@link HubError} when the hub has no time for this, however often it is asked. */
  readonly fetch: typeof fetch = async (input, init) => {
    const { signal } = this;
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(input, signal ? { ...init, signal } : init);
      const wait = secondsToWait(response, attempt);
      if (wait === undefined) return response;
      await response.body?.cancel();
      if (attempt >= this.attempts || wait > LONGEST_WAIT) {
        const asked = attempt === 1 ? 'once' : `${attempt} times`;
        this.gaveUp = new HubError(
          `it has too many requests (status ${response.status}, asked ${asked}) and says to come back in ${wait} s`,
          wait,
        );
        throw this.gaveUp;
      }
      await this.#wait(wait);
    }
  };

  async #wait(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 1) {
      this.onWait?.(left);
      await sleep(Math.min(left, 1) * 1000, undefined, this.signal && { signal: this.signal });
    }
  }
}

/** The seconds after which a hub that has too many requests wants to be asked again; `undefined` for all other answers. */
function secondsToWait({ status, headers }: Response, attempt: number): number | undefined {
  const after = headers.get('Retry-After');
  if (status !== 429 && !(status === 503 && after !== null)) return undefined;
  return parseRetryAfter(after) ?? parseReset(headers.get('RateLimit')) ?? 2 ** (attempt - 1);
}

/** Seconds, or a date. */
function parseRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/** The hub's own: `"api";r=0;t=55`, where `t` is the seconds until it counts from zero again. */
function parseReset(text: string | null): number | undefined {
  const seconds = /;\s*t=(\d+)/.exec(text ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
