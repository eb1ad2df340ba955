/**
 * One voice channel that is written down: from the connection to the subtitles in the text channel. It outlives reconnects, and when the
 * connection is lost for good it delivers what there is.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { entersState, VoiceConnectionStatus } from '@discordjs/voice';
import { listen } from './transcriber.mjs';

/** Discord may move a call to another server: so long a connection may need to come back, in milliseconds. */
const RECONNECT_MS = 20_000;

/**
 * @param {object} options
 * @param {import('parakeet-stream').Model} options.model
 * @param {import('@discordjs/voice').VoiceConnection} options.connection
 * @param {(userId: string) => string} options.nameOf
 * @param {(text: string) => Promise<unknown>} options.post posts a message in the text channel
 * @param {(file: string, text: string) => Promise<unknown>} options.deliver posts the subtitles
 * @param {(error: Error, what: string) => void} options.report
 * @param {() => void} options.onEnd called once, when the session is over in any way
 * @param {string} [options.keep] folder for subtitles that cannot be delivered. Default: the working directory
 * @param {number} [options.reconnect] milliseconds that a lost connection may need to come back. Default 20,000
 * @param {import('parakeet-stream').ParakeetOptions} [options.stream]
 */
export async function startSession(options) {
  const { connection, deliver, report, onEnd, keep = '.', reconnect = RECONNECT_MS } = options;
  const folder = await mkdtemp(path.join(tmpdir(), 'parakeet-discord-'));
  const subtitles = path.join(folder, 'talk.srt');
  const transcript = listen({ ...options, receiver: connection.receiver, subtitles });
  let ending;

  const end = async (text) => {
    connection.off(VoiceConnectionStatus.Disconnected, onDisconnect);
    connection.off(VoiceConnectionStatus.Destroyed, onDestroyed);
    try {
      await transcript.stop();
    } catch (error) {
      // What was written so far is delivered all the same.
      report(error, 'ending the transcript');
    }
    try {
      await deliver(subtitles, text);
    } catch (error) {
      const kept = path.resolve(keep, `talk-${Date.now()}.srt`);
      await copyFile(subtitles, kept);
      report(error, `delivering the subtitles; they are in ${kept}`);
    } finally {
      if (connection.state.status !== VoiceConnectionStatus.Destroyed) connection.destroy();
      await rm(folder, { recursive: true, force: true });
      onEnd();
    }
  };
  const stop = (text) => {
    ending ??= end(text);
    return ending;
  };

  const onDisconnect = async () => {
    try {
      // Moved to another channel, or a new server: it comes back by itself.
      await Promise.race([
        entersState(connection, VoiceConnectionStatus.Signalling, reconnect / 4),
        entersState(connection, VoiceConnectionStatus.Connecting, reconnect / 4),
      ]);
      await entersState(connection, VoiceConnectionStatus.Ready, reconnect);
    } catch {
      await stop('The connection was lost. This is what I heard.');
    }
  };
  const onDestroyed = () => stop('I was disconnected. This is what I heard.');
  connection.on(VoiceConnectionStatus.Disconnected, onDisconnect);
  connection.on(VoiceConnectionStatus.Destroyed, onDestroyed);

  return {
    /** A speaker has left the channel. */
    leave: (userId) => transcript.leave(userId),
    /** Ends the session: the last sentences are posted, then the subtitles with `text`. The same promise however often it is called. */
    stop,
  };
}
