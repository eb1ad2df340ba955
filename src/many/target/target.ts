/** Where transcripts are delivered: a folder, storage, a webhook. */
import type { TranscriptResult } from '../../events.js';
import type { HeardRecording } from '../heard.js';
import type { RenderedFile } from '../render.js';
import { isHttp } from '../source/content.js';
import { isS3 } from '../source/s3.js';
import { folderTarget } from './folder.js';
import { s3Target } from './s3.js';
import { webhookTarget } from './webhook.js';

/** What is delivered of one recording. */
export interface Parcel {
  /** Of content, options and identity: the same for the same transcript. */
  key: string;
  source: string;
  files: RenderedFile[];
  heard: HeardRecording;
  result: TranscriptResult;
  audioSeconds: number;
}

/** One place for the transcripts of many recordings. */
export interface Target {
  /** What was heard under a key before; undefined when it was not, or the place keeps nothing. */
  recall(key: string): Promise<HeardRecording | undefined>;
  /** Delivers all of it: each file is whole or not there. Resolves with the names under which it is found. */
  deliver(parcel: Parcel, signal: AbortSignal | undefined): Promise<string[]>;
}

export function targetOf(to: string): Target {
  if (isS3(to)) return s3Target(to);
  if (isHttp(to)) return webhookTarget(to);
  return folderTarget(to);
}
