/**
 * What the bot does with the sound of a voice channel: one stream a speaker, one transcript in the order of time. It knows nothing of
 * connections and commands.
 */
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { discordVoice, merge, parakeet, srtWriter, teeWriter } from 'parakeet-stream';

/**
 * Begins to listen.
 *
 * @param {object} options
 * @param {import('parakeet-stream').Model} options.model
 * @param {import('parakeet-stream').VoiceReceiverLike & { speaking: import('node:events').EventEmitter }} options.receiver
 * @param {(userId: string) => string} options.nameOf a speaker's name
 * @param {(text: string) => Promise<unknown>} options.post posts a message; one that fails is reported and passed over
 * @param {string} options.subtitles path of the file that grows with the talk
 * @param {(error: Error, what: string) => void} [options.report] told of what failed while the rest goes on
 * @param {import('parakeet-stream').ParakeetOptions} [options.stream] options of each speaker's stream
 */
export function listen({ model, receiver, nameOf, post, subtitles, report = () => {}, stream = {} }) {
  const began = Date.now();
  /** Who is listened to, by user. */
  const voices = new Map();
  /** The streams of those who left, until their last words are out. */
  const leaving = new Map();
  // A speaker whose stream fails leaves; the others go on.
  const merged = merge(null, { inputErrors: 'report' });
  const aborter = new AbortController();
  let open = true;

  const hear = async (userId) => {
    const voice = discordVoice(receiver, userId, { onOverflow: 'gap' });
    voices.set(userId, voice);
    const line = parakeet({
      model,
      silence: { gate: true },
      sentences: { maxGap: 1.5, maxDuration: 20 },
      ...stream,
    });
    voice.on('error', (error) => line.destroy(error));
    const over = finished(voice.pipe(line)).catch((error) => {
      if (open) report(error, `listening to ${nameOf(userId)}`);
    });
    // Whoever speaks again after a failure is heard again.
    over.then(() => voices.get(userId) === voice && voices.delete(userId));
    const before = leaving.get(userId);
    leaving.set(userId, over);
    // Two inputs of one name cannot be open at once: the first words wait in the new stream for the last ones of the old.
    await before;
    if (!aborter.signal.aborted) add(userId, line, voice);
  };
  const add = (userId, line, voice) => {
    // Two users may have one name.
    const taken = merged.speakers.includes(nameOf(userId));
    const speaker = taken ? `${nameOf(userId)} (${userId})` : nameOf(userId);
    merged.add(speaker, line, { offset: (voice.startedAt - began) / 1000 });
  };
  /** Additions under way: the transcript must not end before them. */
  const adding = new Set();
  const onSpeaking = (userId) => {
    if (voices.has(userId)) return;
    const added = hear(userId).catch((error) => report(error, `listening to ${nameOf(userId)}`));
    adding.add(added);
    added.then(() => adding.delete(added));
  };
  receiver.speaking.on('start', onSpeaking);

  const messages = new Writable({
    objectMode: true,
    async write(event, _encoding, callback) {
      if (event.type === 'sentence') {
        const { start, text } = event.sentence;
        await post(`**${event.speaker}** (${clock(start)}): ${text}`).catch((error) =>
          report(error, 'posting'),
        );
      }
      callback();
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
    /** A speaker has left the channel: what was said is still heard. Who comes back and speaks is heard again. */
    leave(userId) {
      voices.get(userId)?.stop();
      voices.delete(userId);
    },
    /** Ends the transcript; resolves when everything that was said is posted and written. */
    async stop() {
      open = false;
      receiver.speaking.off('start', onSpeaking);
      for (const voice of voices.values()) voice.stop();
      await Promise.all(adding);
      merged.end();
      await done;
    },
    /** Gives up at once. */
    async abort() {
      open = false;
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
