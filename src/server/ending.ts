/** The end of the server's connections. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** WebSocket's "service restart". */
const RESTART = 1012;

/** Resolves when all sockets are closed; those that their protocols have not closed are told that the server stops. */
export async function socketsClosed({ websocketServer }: FastifyInstance): Promise<void> {
  // A protocol that has just read its last event sends its last message in this turn.
  await setImmediate();
  const open = [...websocketServer.clients].filter((socket) => socket.readyState !== socket.CLOSED);
  await Promise.all(
    open.map(async (socket) => {
      const closed = once(socket, 'close');
      // Paused, it would not see the client's answer.
      socket.resume();
      socket.close(RESTART, 'The server is stopping');
      await closed;
    }),
  );
}

/** Cuts all connections: the time to end by themselves is over. */
export function cutOff(app: FastifyInstance): void {
  for (const socket of app.websocketServer.clients) socket.terminate();
  app.server.closeAllConnections();
}
