/** A server of a cluster as a process, for tests that kill it: node cluster-server.mjs REDIS. Says its address. */
import { createServer } from '../../dist/server/index.js';

const server = await createServer({ port: 0, maxStreams: 4, cluster: { url: process.argv[2], every: 1 } });
process.stdout.write(`${await server.listen()}\n`);
