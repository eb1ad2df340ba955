/** What the protocols work with: one object, made by `createServer`. */
import type { FastifyInstance } from 'fastify';
import type { Model } from '../index.js';
import type { Access } from './access/access.js';
import type { Admission } from './admission.js';
import type { ChannelKeeper } from './cluster/channel-keeper.js';
import type { LiveChannels } from './live-channels.js';
import type { ServerMetrics } from './metrics.js';
import type { ServerSettings } from './options.js';
import type { RoomList } from './rooms/room-list.js';

export interface ServerContext {
  model: Model;
  /** The model's id in answers. */
  modelName: string;
  settings: ServerSettings;
  access: Access;
  admission: Admission;
  channels: LiveChannels;
  metrics: ServerMetrics;
  rooms: RoomList;
  /** Keeps live transcripts for other servers; undefined of a server that is alone. */
  keeper: ChannelKeeper | undefined;
  /** Aborted when the server must have stopped: files that still run are given up. */
  stopped: AbortSignal;
}

/** A protocol: routes in a scope of its own, so that its hooks, parsers and answers to errors are its own too. */
export type Protocol = (app: FastifyInstance, context: ServerContext) => Promise<void> | void;
