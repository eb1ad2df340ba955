/** The formats of transcripts by their names, which are the endings of their files. */
import type { SinkTarget } from './destination.js';
import { jsonWriter } from './json-writer.js';
import { jsonlWriter } from './jsonl-writer.js';
import type { FileSinkOptions, Sink } from './sink.js';
import { srtWriter } from './srt-writer.js';
import type { SubtitleOptions } from './subtitle-options.js';
import { txtWriter } from './txt-writer.js';
import { vttWriter } from './vtt-writer.js';

/** Formats that a transcript can be written in. */
export const FORMATS = ['txt', 'srt', 'vtt', 'json', 'jsonl'] as const;

/** The format of a transcript. */
export type OutputFormat = (typeof FORMATS)[number];

/** The sink of a format. `subtitles` is for `srt` and `vtt`. */
export function formatWriter(
  format: OutputFormat,
  target: SinkTarget,
  options: FileSinkOptions = {},
  subtitles: SubtitleOptions = {},
): Sink {
  switch (format) {
    case 'srt':
      return srtWriter(target, { ...options, ...subtitles });
    case 'vtt':
      return vttWriter(target, { ...options, ...subtitles });
    case 'txt':
      return txtWriter(target, options);
    case 'json':
      return jsonWriter(target, options);
    case 'jsonl':
      return jsonlWriter(target, options);
  }
}
