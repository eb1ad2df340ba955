/**
 * `PARAKEET_LOG`: the messages of `node:diagnostics_channel` as lines on stderr, for debugging. Off unless the variable is set; programs
 * subscribe to the channels instead (diagnostics.ts).
 */
import type { Channel } from 'node:diagnostics_channel';

/** An Error has no properties that JSON includes. */
const readable = (_key: string, value: unknown) => (value instanceof Error ? value.message : value);

/**
 * Writes each message of the chosen channels as a line, `parakeet-stream:step {"final":4,…}`.
 *
 * @param wanted names of channels, as `step,lag`; `all` for all of them.
 */
export function logChannels(
  wanted: string,
  channels: Readonly<Record<string, Channel>>,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): void {
  const names = wanted.split(',').map((name) => name.trim());
  for (const [name, channel] of Object.entries(channels)) {
    if (!names.includes(name) && !names.includes('all')) continue;
    channel.subscribe((message, channelName) =>
      write(`${String(channelName)} ${JSON.stringify(message, readable)}\n`),
    );
  }
}
