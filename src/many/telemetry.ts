/**
 * OpenTelemetry spans of jobs, where a program has `@opentelemetry/api`, an optional peer, and an SDK behind it; without it nothing. A job
 * carries the context of whoever handed it in, so that one trace spans machines.
 */
import type * as Otel from '@opentelemetry/api';
import { importPeer } from '../optional-peer.js';
import { packageVersion } from '../version.js';

/** BullMQ's signs that a job goes on later or elsewhere: no failures. */
const HANDED_ON = new Set(['WaitingChildrenError', 'DelayedError', 'WaitingError']);

let loading: Promise<typeof Otel | undefined> | undefined;

/** The package, if it is installed. */
function api(): Promise<typeof Otel | undefined> {
  loading ??= importPeer<typeof Otel>('@opentelemetry/api', 'traces', '').catch(() => undefined);
  return loading;
}

/** The current context as plain data. */
export async function traceContext(): Promise<Record<string, string> | undefined> {
  const otel = await api();
  if (!otel) return undefined;
  const carrier: Record<string, string> = {};
  otel.propagation.inject(otel.context.active(), carrier);
  return Object.keys(carrier).length > 0 ? carrier : undefined;
}

/** Runs `work` in a span, whose parent is the context in `carrier` if there is one, else the current span. */
export async function traced<T>(
  name: string,
  attributes: Record<string, string | number>,
  carrier: Record<string, string> | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const otel = await api();
  if (!otel) return work();
  const { context, propagation, trace, SpanStatusCode } = otel;
  const parent = carrier ? propagation.extract(context.active(), carrier) : context.active();
  const entries = Object.entries(attributes).map(([key, value]) => [`parakeet.${key}`, value]);
  const tracer = trace.getTracer('parakeet-stream', packageVersion);
  const span = tracer.startSpan(name, { attributes: Object.fromEntries(entries) }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    if (!HANDED_ON.has((error as Error).name)) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    }
    throw error;
  } finally {
    span.end();
  }
}
