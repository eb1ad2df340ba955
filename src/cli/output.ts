/**
 * Where transcripts are written: a file or the standard output, in a format. The sinks of the formats are the library's.
 */
import path from 'node:path';
import type { Writable } from 'node:stream';
import { FORMATS, formatWriter, type OutputFormat } from '../sinks/formats.js';
import type { FileSinkOptions, Sink } from '../sinks/sink.js';
import { cueShapeKeys, type SubtitleOptions } from '../sinks/subtitle-options.js';
import type { Values } from './cli-option.js';
import { pick } from './library-options.js';
import { UsageError } from './usage-error.js';

/** One transcript. */
export interface Output {
  /** `-` for the standard output. */
  file: string;
  format: OutputFormat;
}

/**
 * The outputs of `-o`, each in the format of its file name's ending, else in `format`.
 *
 * @param isGiven `format` was given explicitly: one of the outputs must have it.
 * @throws {@link UsageError} when the format is unknown or contradictory.
 */
export function outputsOf(
  files: readonly string[],
  format: OutputFormat | undefined,
  isGiven: boolean,
): Output[] {
  const outputs = files.map((file) => outputOf(file, format));
  const other = outputs.find((output) => output.format !== format);
  if (isGiven && other && outputs.every((output) => output.format !== format))
    throw new UsageError(`Expected one format for ${other.file} but --output-format says ${format}`);
  return outputs;
}

function outputOf(file: string, format: OutputFormat | undefined): Output {
  const ending = path.extname(file).slice(1).toLowerCase();
  const chosen = FORMATS.find((format) => format === ending) ?? format;
  if (chosen !== undefined) return { file, format: chosen };
  const endings = FORMATS.map((format) => `.${format}`).join(', ');
  throw new UsageError(
    file === '-'
      ? `Expected --output-format with --output -: one of ${FORMATS.join(', ')}`
      : `Expected a file ending in ${endings}, or --output-format, but received ${file}`,
  );
}

/** Refuses outputs that would interfere with each other. @throws {@link UsageError} */
export function checkDistinct(outputs: readonly Output[]): void {
  const seen = new Set<string>();
  for (const { file } of outputs) {
    const place = file === '-' ? '-' : path.resolve(file);
    if (seen.has(place)) throw new UsageError(`Expected different outputs but received ${file} twice`);
    seen.add(place);
  }
}

/** The sink of an output. */
export function outputSink(
  { file, format }: Output,
  stdout: Writable,
  options: FileSinkOptions,
  subtitles: SubtitleOptions,
): Sink {
  return formatWriter(format, file === '-' ? stdout : file, options, subtitles);
}

/** The layout of subtitles. */
export function subtitleOptions(values: Values): SubtitleOptions {
  const shared = pick<SubtitleOptions>(values, ['highlightWords', 'cuePerSentence']);
  if (values.cuePerSentence === true) return shared;
  return {
    ...shared,
    ...pick<SubtitleOptions>(values, cueShapeKeys),
  };
}
