/**
 * The captions of a command. Their failure must not affect transcripts: when the terminal goes away, files are still written.
 */
import { Writable } from 'node:stream';
import type { TranscriptEvent } from '../events.js';
import { captionWriter } from '../sinks/caption-writer.js';

/** Captions on `screen`, until it is gone. */
export function captions(screen: Writable): Writable {
  const writer = captionWriter(screen);
  let gone = false;
  const sink = new Writable({
    objectMode: true,
    highWaterMark: 4,
    write(event: TranscriptEvent, _encoding, callback) {
      if (gone) callback();
      else writer.write(event, () => callback());
    },
    final(callback) {
      if (gone) return callback();
      writer.once('close', callback);
      writer.end();
    },
    destroy(error, callback) {
      writer.destroy(error ?? undefined);
      callback(error);
    },
  });
  writer.on('error', (error) => {
    gone = isGone(error);
    if (!gone) sink.destroy(error);
  });
  return sink;
}

/** A terminal whose window was closed: EIO comes with SIGHUP, or a little before it. */
function isGone({ cause }: Error): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EIO';
}
