/**
 * Requests to the hub that wait, as long as the hub asks, when it is rate-limiting. What is requested, and what the answers mean, is in
 * hub.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubError } from '../errors.js';

/** Attempts for one request. */
export const ATTEMPTS = 5;
/** Longest single wait, in seconds: the hub counts requests in windows of five minutes. */
const LONGEST_WAIT = 300;

/** A `fetch` for `@huggingface/hub`. */
export class PatientFetch {
  /** Why it gave up. Code that reads a body through `@huggingface/hub` sees only the message. */
  gaveUp: HubError | undefined;

  /** @param attempts attempts for one request. */
  constructor(
    private readonly attempts: number,
    private readonly signal?: AbortSignal | undefined,
    /** Called every second of a wait with the seconds left. */
    private readonly onWait?: ((secondsLeft: number) => void) | undefined,
  ) {}

  /** @throws {@link HubError} when the hub is still rate-limiting after all attempts. */
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
          `the hub is rate-limiting (status ${response.status}, asked ${asked}) and says to retry in ${wait} s`,
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

/** The seconds after which a rate-limiting hub wants to be asked again; `undefined` for all other responses. */
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

/** The hub's own header: `"api";r=0;t=55`, where `t` is the seconds until its counter is reset. */
function parseReset(text: string | null): number | undefined {
  const seconds = /;\s*t=(\d+)/.exec(text ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
