/** The system as far as native libraries care: platform, processor and C library. */
import os from 'node:os';

export interface System {
  platform: string;
  arch: string;
  /** On Linux; undefined where Node does not tell. */
  libc?: 'glibc' | 'musl' | undefined;
  /** Its version. */
  glibc?: string | undefined;
  /** A Node for Intel that runs translated on Apple silicon. */
  translated: boolean;
}

/** Slow (it makes one of Node's reports), so it is asked only when the addon has failed to load. */
export function thisSystem(): System {
  const { platform, arch } = process;
  const translated = platform === 'darwin' && arch === 'x64' && (os.cpus()[0]?.model ?? '').includes('Apple');
  if (platform !== 'linux') return { platform, arch, translated };
  const { header, sharedObjects } = report();
  const glibc = header?.glibcVersionRuntime;
  const libc = glibc ? 'glibc' : sharedObjects?.some((file) => /\bld-musl-/.test(file)) ? 'musl' : undefined;
  return { platform, arch, libc, glibc, translated };
}

function report(): { header?: { glibcVersionRuntime?: string }; sharedObjects?: string[] } {
  // Without this, the report looks up the names of open connections, which may take seconds.
  const settings = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = settings.excludeNetwork;
  settings.excludeNetwork = true;
  try {
    return settings.getReport() as ReturnType<typeof report>;
  } finally {
    if (before !== undefined) settings.excludeNetwork = before;
  }
}
