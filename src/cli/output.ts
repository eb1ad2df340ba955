/**
 * The sink for an output file, by its format.
 */
import path from 'node:path';
import type { Writable } from 'node:stream';
import { jsonWriter } from '../sinks/json-writer.js';
import { jsonlWriter } from '../sinks/jsonl-writer.js';
import { srtWriter } from '../sinks/srt-writer.js';
import { txtWriter } from '../sinks/txt-writer.js';
import { vttWriter } from '../sinks/vtt-writer.js';
import { FORMATS, type OutputFormat } from './options.js';
import { UsageError } from './usage-error.js';

/** The format that a file's ending names. */
export function formatOf(file: string): OutputFormat {
  const ending = path.extname(file).slice(1).toLowerCase();
  const format = FORMATS.find((name) => name === ending);
  if (format !== undefined) return format;
  throw new UsageError(
    `Expected a file ending in ${FORMATS.map((name) => `.${name}`).join(', ')} but received ${file}`,
  );
}

export function outputSink(
  file: string,
  format: OutputFormat,
  options: { highlightWords: boolean },
): Writable {
  switch (format) {
    case 'srt':
      return srtWriter(file, options);
    case 'vtt':
      return vttWriter(file, options);
    case 'txt':
      return txtWriter(file);
    case 'json':
      return jsonWriter(file);
    case 'jsonl':
      return jsonlWriter(file);
  }
}
