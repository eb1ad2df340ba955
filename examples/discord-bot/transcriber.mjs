/**
 * What the bot does with a voice channel, without Discord's own library: one stream a speaker, one transcript in the order of time.
 */
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { discordVoice, merge, parakeet, srtWriter, teeWriter } from 'parakeet-stream';

/**
 * Begins to listen.
 *
 * @param {object} options
 * @param {import('parakeet-stream').Model} options.model
 * @param {import('parakeet-stream').VoiceReceiverLike & { speaking: import('node:events').EventEmitter }} options.receiver
 * @param {(userId: string) => string} options.nameOf a speaker's name
 * @param {(text: string) => Promise<unknown>} options.post posts a message
 * @param {string} options.subtitles path of the file that grows with the talk
 * @param {import('parakeet-stream').ParakeetOptions} [options.stream] options of each speaker's stream
 */
export function listen({ model, receiver, nameOf, post, subtitles, stream = {} }) {
  const began = Date.now();
  const voices = new Map();
  // A speaker whose stream fails leaves; the others go on.
  const merged = merge(null, { inputErrors: 'report' });
  const aborter = new AbortController();

  const onSpeaking = (userId) => {
    if (voices.has(userId)) return;
    const voice = discordVoice(receiver, userId, { onOverflow: 'gap' });
    voices.set(userId, voice);
    const line = parakeet({ model, silenceGate: true, silenceGap: 1.5, maxDuration: 20, ...stream });
    voice.on('error', (error) => line.destroy(error));
    merged.add(nameOf(userId), voice.pipe(line), { offset: (voice.startedAt - began) / 1000 });
  };
  receiver.speaking.on('start', onSpeaking);

  const messages = new Writable({
    objectMode: true,
    async write(event, _encoding, callback) {
      try {
        if (event.type === 'sentence')
          await post(`**${event.speaker}** (${clock(event.sentence.start)}): ${event.sentence.text}`);
        callback();
      } catch (error) {
        callback(error);
      }
    },
  });
  const done = pipeline(merged, teeWriter(srtWriter(subtitles), messages), { signal: aborter.signal });
  // Told by stop().
  done.catch(() => {});

  return {
    /** Who is listened to. */
    get speakers() {
      return [...voices.keys()].map(nameOf);
    },
    /** A speaker has left the channel: what was said is still heard. */
    leave(userId) {
      voices.get(userId)?.stop();
    },
    /** Ends the transcript; resolves when everything that was said is posted and written. */
    async stop() {
      receiver.speaking.off('start', onSpeaking);
      for (const voice of voices.values()) voice.stop();
      merged.end();
      await done;
    },
    /** Gives up at once. */
    async abort() {
      receiver.speaking.off('start', onSpeaking);
      const closed = [...voices.values()].map((voice) => (voice.closed ? undefined : once(voice, 'close')));
      for (const voice of voices.values()) voice.destroy();
      aborter.abort();
      await Promise.all(closed);
      await done.catch(() => {});
    },
  };
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
