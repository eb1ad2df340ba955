/**
 * A recording behind an HTTP address, read by ranges where the server has them. Presigned addresses allow GET only, so a range of one byte
 * asks for what HEAD would say.
 */
import type { ReadableStream } from 'node:stream/web';
import { bodyStream, brokenOff, type Content, changed, unreadable } from './source.js';

export async function httpContent(url: string, signal?: AbortSignal): Promise<Content> {
  const { ranged, length, tag, version } = await head(url, signal);
  const same = (response: Response) => {
    if (response.headers.get('etag') !== tag) throw changed(url);
  };
  return {
    size: length === undefined ? undefined : Number(length),
    file: undefined,
    ranged: ranged && length !== undefined,
    unchanged: async (stop) => {
      const now = await head(url, stop);
      return now.length === length && now.version === version;
    },
    stream: async (stop) => {
      const response = await get(url, {}, stop);
      same(response);
      if (!response.body) throw unreadable(url, 'the answer has no body');
      return bodyStream(url, response.body as ReadableStream<Uint8Array>, stop);
    },
    range: async (from, to, stop) => {
      const response = await get(url, { range: `bytes=${from}-${to - 1}` }, stop);
      same(response);
      const body = await response.arrayBuffer().catch((error: unknown) => {
        throw brokenOff(url, error, stop);
      });
      if (response.status !== 206 || body.byteLength !== to - from) throw changed(url);
      return new Uint8Array(body);
    },
  };
}

/** What the server says of the source without its content. */
async function head(url: string, signal: AbortSignal | undefined) {
  const { status, headers, body } = await get(url, { range: 'bytes=0-0' }, signal);
  await body?.cancel();
  const ranged = status === 206;
  const length = ranged
    ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
    : (headers.get('content-length') ?? undefined);
  const tag = headers.get('etag');
  return { ranged, length, tag, version: tag ?? headers.get('last-modified') };
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
    throw unreadable(url, deeper instanceof Error ? deeper.message : message, cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw unreadable(url, `the server answers ${response.status} ${response.statusText}`.trim());
}
