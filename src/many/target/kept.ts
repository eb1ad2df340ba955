/** What was heard, as the document that a folder or storage keeps beside the transcripts: the same recording is not transcribed twice. */
import { type HeardRecording, isStoredWindow } from '../heard.js';

const FORMAT = 'parakeet-heard-1';

/** The document's name below the target. */
export function keptName(key: string): string {
  return `.parakeet/heard/${key}.json`;
}

export function keptText(heard: HeardRecording): string {
  return `${JSON.stringify({ format: FORMAT, ...heard })}\n`;
}

/** Undefined for a text that is no such document: then it is transcribed again. */
export function readKept(text: string): HeardRecording | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, samples, windows } = value as Record<string, unknown>;
  if (format !== FORMAT || typeof samples !== 'number' || !Array.isArray(windows)) return undefined;
  return windows.every(isStoredWindow) ? { samples, windows } : undefined;
}
