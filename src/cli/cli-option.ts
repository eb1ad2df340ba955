/**
 * One option of a command: commander's, plus checked values, an environment variable, shorthands, and conditions on other options. The
 * options themselves are in options.ts.
 */
import { Option } from 'commander';
import { UsageError } from './usage-error.js';

/** The values of a command's options, by their names in camel case. */
export type Values = Record<string, unknown>;

/** Reads the text of a value. @throws {@link UsageError} */
type Reader = (text: string, name: string) => unknown;

export class CliOption extends Option {
  /** Environment variable with a value for the option. commander's own would take `NAME=false` as true. */
  variable: string | undefined;
  /** A shorthand for another option with this value. */
  shorthand: { option: string; value: unknown } | undefined;
  /** The condition under which the option has an effect. */
  condition: { holds: (values: Values) => boolean; what: string } | undefined;
  readonly #reader: Reader;

  constructor(flags: string, description: string, reader: Reader = readText) {
    super(flags, description);
    this.#reader = reader;
    if (!this.isBoolean()) this.argParser((text) => this.read(text));
  }

  /** One of a few strings. */
  static choice(flags: string, description: string, words: readonly string[]): CliOption {
    const option = new CliOption(flags, description, (text, name) => {
      if (words.includes(text)) return text;
      throw new UsageError(`Expected one of ${words.join(', ')} for ${name} but received ${text}`);
    });
    option.argChoices = [...words];
    return option;
  }

  static integer(flags: string, description: string, minimum: number): CliOption {
    return new CliOption(flags, description, number('a whole number', Number.isSafeInteger, minimum));
  }

  static number(flags: string, description: string, minimum: number): CliOption {
    return new CliOption(flags, description, number('a number', Number.isFinite, minimum));
  }

  /** An address that begins with `http:` or `https:`. */
  static address(flags: string, description: string): CliOption {
    return new CliOption(flags, description, (text, name) => {
      if (/^https?:/i.test(text) && URL.canParse(text)) return text;
      throw new UsageError(`Expected an http(s) address for ${name} but received ${text}`);
    });
  }

  /** Seconds: `90`, `1:30`, `1:02:03.5`. */
  static time(flags: string, description: string, minimum: number): CliOption {
    return new CliOption(
      flags,
      description,
      number('seconds or [h:]mm:ss', Number.isFinite, minimum, seconds),
    );
  }

  /** May be given several times. */
  static list(flags: string, description: string): CliOption {
    const option = new CliOption(flags, description);
    option.argParser<string[]>((text, before) => [...(before ?? []), text]);
    return option;
  }

  /** The value of `text`. @throws {@link UsageError} */
  read(text: string, name = this.long ?? this.flags): unknown {
    return this.isBoolean() ? readSwitch(text, name) : this.#reader(text, name);
  }

  /** The environment variable that is used when the option is not given. */
  from(variable: string): this {
    this.variable = variable;
    return this;
  }

  /** Another way to write `--option value`: the later one of the two counts. */
  means(option: string, value: unknown): this {
    this.shorthand = { option, value };
    return this;
  }

  /** If this does not hold, the option is refused on the command line: `Expected <what> with --option`. */
  needs(what: string, holds: (values: Values) => boolean): this {
    this.condition = { what, holds };
    return this;
  }

  presets(value: unknown): this {
    return this.default(value, String(value));
  }
}

const readText: Reader = (text, name) => {
  if (text !== '') return text;
  throw new UsageError(`Expected a value for ${name} but received an empty one`);
};

function number(
  what: string,
  fits: (value: number) => boolean,
  minimum: number,
  parse: (text: string) => number = Number,
): Reader {
  return (text, name) => {
    const value = text.trim() === '' ? Number.NaN : parse(text);
    if (fits(value) && value >= minimum) return value;
    throw new UsageError(`Expected ${what} of at least ${minimum} for ${name} but received ${text}`);
  };
}

function seconds(text: string): number {
  if (!/^(\d+:){0,2}\d+(\.\d+)?$/.test(text)) return Number.NaN;
  return text.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
}

function readSwitch(text: string, name: string): boolean {
  if (/^(1|true|t|yes|y|on)$/i.test(text)) return true;
  if (/^(0|false|f|no|n|off)$/i.test(text)) return false;
  throw new UsageError(`Expected true or false for ${name} but received ${text}`);
}
