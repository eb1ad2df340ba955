/**
 * A recording behind an HTTP address, read by ranges where the server has them. Presigned addresses allow GET only, so a range of one byte
 * asks for what HEAD would say.
 */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { type Content, changed, unreadable } from './source.js';

export async function httpContent(url: string, signal?: AbortSignal): Promise<Content> {
  const first = await get(url, { range: 'bytes=0-0' }, signal);
  await first.body?.cancel();
  const ranged = first.status === 206;
  const length = ranged
    ? /\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]
    : (first.headers.get('content-length') ?? undefined);
  const tag = first.headers.get('etag');
  const same = (response: Response) => {
    if (response.headers.get('etag') !== tag) throw changed(withoutQuery(url));
  };
  return {
    size: length === undefined ? undefined : Number(length),
    file: undefined,
    ranged: ranged && length !== undefined,
    stream: async (stop) => {
      const response = await get(url, {}, stop);
      same(response);
      if (!response.body) throw unreadable(withoutQuery(url), 'the answer has no body');
      return Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    },
    range: async (from, to, stop) => {
      const response = await get(url, { range: `bytes=${from}-${to - 1}` }, stop);
      same(response);
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.status !== 206 || bytes.length !== to - from) throw changed(withoutQuery(url));
      return bytes;
    },
  };
}

async function get(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let response: Response;
  try {
    // Compressed on the way, its ranges would be those of other bytes.
    const all = { 'accept-encoding': 'identity', ...headers };
    response = await fetch(url, { headers: all, signal: signal ?? null });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const { message, cause: deeper } = cause as Error;
    throw unreadable(withoutQuery(url), deeper instanceof Error ? deeper.message : message, cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw unreadable(withoutQuery(url), `the server answers ${response.status} ${response.statusText}`.trim());
}

/** An address for messages: the query of a presigned one is a secret. */
export function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}
