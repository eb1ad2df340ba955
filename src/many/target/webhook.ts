/**
 * Transcripts as HTTP requests: one POST a recording, signed, with a key by which the receiver knows a repetition, and repeated with growing
 * pauses until it is taken.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { abortedBy, throwIfAborted } from '../../abort.js';
import { JobError } from '../../errors.js';
import { withoutQuery } from '../source/source.js';
import type { Parcel, Target } from './target.js';

/** The variable with the secret that signs requests. It never travels with a job. */
const SECRET = 'PARAKEET_WEBHOOK_SECRET';
/** Most requests for one recording. */
const ATTEMPTS = 6;
/** Seconds before the first repetition; each pause is twice the one before. */
const FIRST_PAUSE = 1;
/** Longest pause that a receiver may ask for, in seconds. */
const LONGEST_PAUSE = 60;
/** Seconds for one answer. */
const TIMEOUT = 30;

/** What tests shorten. @internal */
export interface WebhookTiming {
  firstPause?: number;
  secret?: string | undefined;
}

export function webhookTarget(url: string, timing: WebhookTiming = {}): Target {
  const { firstPause = FIRST_PAUSE, secret = process.env[SECRET] } = timing;
  return {
    // It keeps nothing: the receiver has the key.
    recall: async () => undefined,
    deliver: async (parcel, signal) => {
      const body = bodyOf(parcel);
      let pause = firstPause;
      for (let attempt = 1; ; attempt++) {
        const { status, reason, retryAfter } = await post(url, parcel.key, body, secret, signal);
        if (status === undefined ? false : status < 300) return [withoutQuery(url)];
        if (attempt === ATTEMPTS || !mayWorkLater(status)) throw refused(url, reason, attempt);
        await delay(1000 * Math.min(retryAfter ?? pause, LONGEST_PAUSE), undefined, { signal }).catch(() => {
          throw abortedBy(signal as AbortSignal);
        });
        pause *= 2;
      }
    },
  };
}

/** The signature of a body at a time in seconds, as Stripe and others write it: `t=…,v1=…`. */
export function signatureOf(secret: string, time: number, body: string): string {
  const mac = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  return `t=${time},v1=${mac}`;
}

function bodyOf({ key, source, files, result, audioSeconds }: Parcel): string {
  const { text, sentences } = result;
  return JSON.stringify({
    key,
    source: withoutQuery(source),
    audioSeconds,
    text,
    sentences: sentences.map(({ text, start, end, confidence }) => ({ text, start, end, confidence })),
    files: Object.fromEntries(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('utf8')])),
  });
}

interface Answer {
  /** Undefined when none came. */
  status: number | undefined;
  reason: string;
  retryAfter: number | undefined;
}

async function post(
  url: string,
  key: string,
  body: string,
  secret: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const time = Math.floor(Date.now() / 1000);
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': key,
    ...(secret ? { 'x-parakeet-signature': signatureOf(secret, time, body) } : {}),
  };
  const limit = AbortSignal.timeout(TIMEOUT * 1000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    await response.body?.cancel();
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfter = seconds >= 0 ? seconds : undefined;
    return { status: response.status, reason: `it answers ${response.status}`, retryAfter };
  } catch (cause) {
    throwIfAborted(signal);
    const { message, cause: deeper } = cause as Error;
    const reason = deeper instanceof Error ? deeper.message : message;
    return { status: undefined, reason, retryAfter: undefined };
  }
}

/** Whether a repetition may be taken: not when the request itself is refused. */
function mayWorkLater(status: number | undefined): boolean {
  return status === undefined || status === 408 || status === 429 || status >= 500;
}

function refused(url: string, reason: string, attempts: number): JobError {
  const times = attempts === 1 ? '' : ` after ${attempts} attempts`;
  return new JobError(
    'ERR_PARAKEET_JOB_DELIVERY',
    `Expected the webhook ${withoutQuery(url)} to take a transcript but ${reason}${times}. Check the receiver.`,
  );
}
