/** The ffmpeg that the development dependencies bring, so that no test depends on what is installed. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

export const ffmpegPath = (createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string })
  .path;

/** Runs it to make a file. */
export function makeWithFfmpeg(...args: string[]): void {
  const { status, stderr } = spawnSync(ffmpegPath, ['-v', 'error', '-y', ...args]);
  if (status !== 0) throw new Error(stderr.toString());
}
