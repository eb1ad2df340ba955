/** The Wyoming protocol's port: TCP, without tokens, since the protocol has none. What a connection does is in connection.ts. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ServerContext } from '../context.js';
import { WyomingConnection } from './connection.js';

/** Most connections at once. */
const MOST_CONNECTIONS = 256;
/** Milliseconds without a byte after which a connection is closed. */
const SILENT = 10 * 60_000;

export class WyomingServer {
  readonly #server: Server;
  readonly #address: { host: string; port: number };
  readonly #connections = new Map<Socket, WyomingConnection>();

  constructor(context: ServerContext, address: { host: string; port: number }) {
    this.#address = address;
    this.#server = createServer((socket) => this.#serve(socket, context));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** The port that it listens on; undefined before. */
  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#address;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  /** Takes no more connections, and closes them when the transcripts that are due are sent. The live transcripts are over by then. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const [socket, connection] of this.#connections)
      void connection.delivered.then(() => socket.destroySoon());
    await closed;
  }

  /** Cuts all connections: the time to end by themselves is over. */
  cutOff(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #serve(socket: Socket, context: ServerContext): void {
    socket.setTimeout(SILENT, () => socket.destroy());
    socket.on('error', () => {});
    const connection = new WyomingConnection(socket, context);
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#connections.delete(socket));
    void connection.run();
  }
}
