/**
 * The names of transcript files: parakeet-mlx's templates, `{parent}/{filename}_{index}_{date}`.
 */
import path from 'node:path';
import { UsageError } from './usage-error.js';

/** What a template may name. */
export interface TemplateFields {
  /** The sound file's folder, as it was given. */
  parent: string;
  /** Its name without the ending. */
  filename: string;
  /** 1 for the first file of the command. */
  index: string;
  /** The day of the run, `YYYYMMDD`, local time. */
  date: string;
}

/** The fields of one input; `-` is named `stdin`. */
export function templateFields(input: string, index: number, now: Date): TemplateFields {
  const file = input === '-' ? 'stdin' : input;
  const digits = (value: number) => String(value).padStart(2, '0');
  return {
    parent: path.dirname(file),
    filename: path.basename(file, path.extname(file)),
    index: String(index + 1),
    date: `${now.getFullYear()}${digits(now.getMonth() + 1)}${digits(now.getDate())}`,
  };
}

/**
 * Fills in a template. `{{` and `}}` are literal braces.
 *
 * @throws {@link UsageError} for an unknown field, or a single brace.
 */
export function fillTemplate(template: string, fields: TemplateFields): string {
  return template.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (match, name: string | undefined) => {
    if (match === '{{') return '{';
    if (match === '}}') return '}';
    if (name !== undefined && Object.hasOwn(fields, name)) return fields[name as keyof TemplateFields];
    throw new UsageError(
      `Expected {parent}, {filename}, {index} or {date} in --output-template but received ${match}`,
    );
  });
}
