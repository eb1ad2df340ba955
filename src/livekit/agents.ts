/** LiveKit's framework, which is an optional peer of this package: loaded with this entry point. */
import type * as Agents from '@livekit/agents';
import { importPeer } from '../optional-peer.js';

/** @throws {@link DependencyError} when it is not installed: importing the entry point fails with it. */
export const agents = await importPeer<typeof Agents>(
  '@livekit/agents',
  'runs voice agents',
  'Install it: npm install @livekit/agents @livekit/rtc-node',
);
