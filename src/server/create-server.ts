/** The caption server: its parts put together, its beginning and its end. What it answers is up to `protocols/`. */
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { loadModel, type Model } from '../index.js';
import { Access } from './access/access.js';
import { agreedSubprotocol } from './access/credentials.js';
import { Admission } from './admission.js';
import { measureCapacity } from './capacity.js';
import { ChannelKeeper } from './cluster/channel-keeper.js';
import type { ServerContext } from './context.js';
import { cutOff, socketsClosed } from './ending.js';
import { installErrors } from './error-answers.js';
import { fastifyOptions } from './fastify-options.js';
import { installHeaders } from './headers.js';
import { installJobs } from './jobs-board.js';
import { LiveChannels } from './live-channels.js';
import { ServerMetrics } from './metrics.js';
import { Opened } from './opened.js';
import { type ServerOptions, type ServerSettings, settleServer } from './options.js';
import { loadPeers, type Peers } from './peers.js';
import { protocols } from './protocols/index.js';
import { RecentLag } from './recent-lag.js';
import { RoomList } from './rooms/room-list.js';
import { WyomingServer } from './wyoming/wyoming-server.js';

/** Most bytes of one WebSocket message: five minutes of OpenAI's sound in base64. */
const MOST_MESSAGE = 16 * 1024 * 1024;
/** The bundled model's id. */
const BUNDLED = 'parakeet-tiny-en';
/** Milliseconds between giving up what still runs, and cutting the connections. */
const GRACE = 1000;

/** A caption server that was made by `createServer`. */
export interface CaptionServer {
  /** The fastify instance, for routes and hooks of your own; to be added before {@link listen}. */
  readonly fastify: FastifyInstance;
  /** Most live transcripts at once: `maxStreams`, or what was measured. */
  readonly maxStreams: number;
  /** The port of the Wyoming protocol, once it listens; undefined without `wyomingPort`. */
  readonly wyomingPort: number | undefined;
  /** Begins to listen. Resolves with the address, such as `'http://127.0.0.1:8000'`. */
  listen(): Promise<string>;
  /**
   * Stops: takes nothing more, makes what is live final and delivers it, finishes files, and closes. After `stopTimeout` seconds what still
   * runs is given up. Can be called again.
   */
  close(): Promise<void>;
}

/**
 * Makes a server that existing clients of other services can use: OpenAI's and Deepgram's file and live APIs. It loads the model and
 * measures how many live transcripts the machine holds, but does not listen yet.
 *
 * @throws {@link ArgumentError} for invalid options. @throws {@link DependencyError} without fastify and its plugins. Otherwise as
 * `loadModel`. All as rejections.
 *
 * @example
 * ```js
 * import { createServer } from 'parakeet-stream/server';
 *
 * const server = await createServer({ port: 0, maxStreams: 8 });
 * const address = await server.listen();
 * console.log(await (await fetch(`${address}/ready`)).json());
 * await server.close();
 * ```
 */
export async function createServer(options: ServerOptions = {}): Promise<CaptionServer> {
  const settings = settleServer(options);
  const peers = await loadPeers();
  const opened = new Opened();
  const loaded = async (model: Model | string | undefined): Promise<Model> => {
    if (typeof model === 'object') return model;
    const own = await loadModel(model);
    opened.add(() => own.close());
    return own;
  };
  try {
    const model = await loaded(options.model);
    const draftModel = options.draftModel === undefined ? undefined : await loaded(options.draftModel);
    const modelName = options.modelName ?? nameOf(options.model);
    return await assemble(settings, peers, { model, draftModel, modelName }, opened);
  } catch (error) {
    await opened.close().catch(() => {});
    throw error;
  }
}

async function assemble(
  settings: ServerSettings,
  peers: Peers,
  { model, draftModel, modelName }: { model: Model; draftModel: Model | undefined; modelName: string },
  opened: Opened,
): Promise<CaptionServer> {
  const app = peers.fastify(fastifyOptions(settings));
  const maxStreams = settings.maxStreams ?? (await measureCapacity({ model, draftModel }, settings.latency));
  const recentLag = new RecentLag();
  const admission = new Admission({ ...settings, maxStreams }, () => recentLag.late);
  const metrics = new ServerMetrics(peers.prometheus, admission);
  opened.add(() => metrics.close());
  const rooms = new RoomList();
  const stop = new AbortController();
  const channels = new LiveChannels({
    ...{ ...settings, model, draftModel, admission, metrics, rooms, log: app.log },
    onLag: (seconds) => {
      metrics.lagged(seconds);
      recentLag.observe(seconds);
    },
  });
  const access = new Access(settings);
  const { cluster } = settings;
  const keeper =
    cluster &&
    (await ChannelKeeper.open(cluster.url, { model, latency: settings.latency, every: cluster.every }));
  opened.add(() => keeper?.close());
  const context: ServerContext = {
    ...{ model, modelName, settings, access, admission, channels, metrics, rooms, keeper },
    stopped: stop.signal,
  };
  const wyoming = settings.wyoming && new WyomingServer(context, settings.wyoming);
  opened.add(() => wyoming?.close());
  // The first to be closed: then all live transcripts are over.
  opened.add(() => app.close());
  await app.register(peers.websocket, {
    options: { maxPayload: MOST_MESSAGE, perMessageDeflate: false, handleProtocols: agreedSubprotocol },
    // The plugin would cut all sockets off: ours close when their last words are out.
    preClose: async () => {
      await Promise.all([channels.drain(settings.stopTimeout), rooms.close()]);
      await socketsClosed(app);
    },
    errorHandler: (error, socket, request) => {
      request.log.info({ err: error }, 'socket failed');
      socket.terminate();
    },
  });
  await app.register(peers.multipart);
  // For reply.sendFile(): which files there are is up to the page.
  await app.register(peers.files, { root: import.meta.dirname, serve: false });
  installHeaders(app, settings.tls !== undefined);
  access.install(app);
  installErrors(app, metrics);
  for (const protocol of protocols) await app.register(async (scope) => protocol(scope, context));
  if (settings.jobs) await installJobs(app, peers, metrics, settings.jobs);

  let closing: Promise<void> | undefined;
  const close = async () => {
    admission.close();
    const limits = [
      setTimeout(() => stop.abort(), settings.stopTimeout * 1000),
      setTimeout(
        () => {
          cutOff(app);
          wyoming?.cutOff();
        },
        settings.stopTimeout * 1000 + GRACE,
      ),
    ];
    try {
      await opened.close();
    } finally {
      for (const limit of limits) clearTimeout(limit);
    }
  };
  return {
    fastify: app,
    maxStreams,
    get wyomingPort() {
      return wyoming?.port;
    },
    listen: async () => {
      await wyoming?.listen();
      return app.listen({ host: settings.host, port: settings.port });
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** The last part of a folder's or repository's name. */
function nameOf(model: ServerOptions['model']): string {
  if (typeof model === 'object') return 'parakeet';
  return path.basename(model ?? (process.env.PARAKEET_MODEL || BUNDLED), '.nemo');
}
