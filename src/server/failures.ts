/** How a failure is told to a client: HTTP's status, a WebSocket's code, and a message that gives nothing of this machine away. */
import type { FastifyBaseLogger } from 'fastify';
import { type ErrorCode, isParakeetError, ServerError } from '../index.js';

/** A failure as a client sees it. */
export interface Failure {
  /** HTTP's status. */
  status: number;
  /** A WebSocket's code. */
  closeCode: number;
  /** Stable, for programs. */
  code: string;
  message: string;
  /** Seconds after which trying again may help. */
  retryAfter: number | undefined;
}

const CLIENT_ERRORS: Partial<Record<ErrorCode, { status: number; closeCode: number }>> = {
  ERR_PARAKEET_INVALID_ARGUMENT: { status: 400, closeCode: 1008 },
  ERR_PARAKEET_INVALID_AUDIO: { status: 400, closeCode: 1007 },
  ERR_PARAKEET_UNSUPPORTED_FORMAT: { status: 415, closeCode: 1003 },
  ERR_PARAKEET_MISSING_DEPENDENCY: { status: 415, closeCode: 1003 },
  // The client has gone, or the server stops.
  ERR_PARAKEET_ABORTED: { status: 503, closeCode: 1001 },
  ERR_PARAKEET_SERVER_BUSY: { status: 503, closeCode: 1013 },
  ERR_PARAKEET_SERVER_LIMIT: { status: 413, closeCode: 1008 },
  ERR_PARAKEET_SERVER_PROTOCOL: { status: 400, closeCode: 1008 },
  ERR_PARAKEET_SERVER_ACCESS: { status: 401, closeCode: 1008 },
};

export function failureOf(error: unknown): Failure {
  if (isParakeetError(error)) {
    const known = CLIENT_ERRORS[error.code];
    const retryAfter = error instanceof ServerError ? error.retryAfter : undefined;
    const { statusCode } = error as { statusCode?: number };
    if (known) {
      const status = statusCode ?? known.status;
      return { ...known, status, code: error.code, message: error.message, retryAfter };
    }
    return internal(error.code, error.code === 'ERR_PARAKEET_NO_SPACE' ? 507 : 500);
  }
  // fastify's own, about the request.
  const { statusCode, code, message } = (error ?? {}) as {
    statusCode?: number;
    code?: string;
    message?: string;
  };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return {
      status: statusCode,
      closeCode: 1008,
      code: code ?? 'bad_request',
      message: message ?? '',
      retryAfter: undefined,
    };
  return internal('internal_error', 500);
}

/**
 * Logs a failure, as `what` that was refused or has failed. The log has all of an error that is the server's own, as its client is told; of one
 * that the client has made only the code, because it may show what was sent.
 */
export function logFailure(log: FastifyBaseLogger, error: unknown, what: string, more: object = {}): Failure {
  const failure = failureOf(error);
  const { code, status } = failure;
  if (status >= 500 && status !== 503) log.error({ ...more, code, err: error }, `${what} failed`);
  else log.info({ ...more, code }, `${what} refused`);
  return failure;
}

/** Paths and details stay in the log. */
function internal(code: string, status: number): Failure {
  return {
    status,
    closeCode: 1011,
    code,
    message: 'The server failed. Its log says why.',
    retryAfter: undefined,
  };
}
