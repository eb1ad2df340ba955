/**
 * One command: commander's, with options that the environment can set and that may depend on each other, and errors of our own.
 */
import { Command, Help, type Option } from 'commander';
import { CliOption } from './cli-option.js';
import { UsageError } from './usage-error.js';

export class CliCommand extends Command {
  override createCommand(name?: string): CliCommand {
    return new CliCommand(name);
  }

  override createHelp(): Help {
    return Object.assign(new CliHelp(), this.configureHelp());
  }

  /** `parakeet models pull`. */
  get path(): string {
    return this.parent instanceof CliCommand ? `${this.parent.path} ${this.name()}` : this.name();
  }

  /** Adds options below a heading in the help. */
  group(heading: string, options: readonly CliOption[]): this {
    for (const option of options) this.addOption(option.helpGroup(heading));
    return this;
  }

  override addOption(option: Option): this {
    const parse = option.parseArg;
    if (parse) option.argParser<unknown>((text, before) => this.#blame(() => parse(text, before)));
    super.addOption(option);
    if (option instanceof CliOption && option.shorthand) {
      const { option: name, value } = option.shorthand;
      // Not commander's `implies`, with which an earlier spelling would override the shorthand.
      this.on(`option:${option.name()}`, () => this.setOptionValueWithSource(name, value, 'cli'));
    }
    return this;
  }

  /** Applies environment variables, then refuses options that have no effect with the others. @throws {@link UsageError} */
  settle(environment: NodeJS.ProcessEnv): void {
    this.#blame(() => {
      const options = this.options.filter((option) => option instanceof CliOption);
      for (const option of options) this.#readVariable(option, environment);
      for (const option of options) {
        const { condition } = option;
        if (!condition || this.getOptionValueSource(option.attributeName()) !== 'cli') continue;
        if (!condition.holds(this.opts()))
          throw new UsageError(`Expected ${condition.what} with ${option.long}`);
      }
    });
  }

  /** Runs the command's work: an error about the command line then points to this command's help. */
  async blamed<T>(work: () => Promise<T>): Promise<T> {
    return work().catch((error: unknown) => this.#blame(() => throwIt(error)));
  }

  #blame<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof UsageError) error.command ??= this.path;
      throw error;
    }
  }

  #readVariable(option: CliOption, environment: NodeJS.ProcessEnv): void {
    const { variable, shorthand } = option;
    const text = variable === undefined ? undefined : environment[variable];
    if (text === undefined || text === '') return;
    const value = option.read(text, variable);
    const target = shorthand ? shorthand.option : option.attributeName();
    if (this.getOptionValueSource(target) === 'cli') return;
    if (!shorthand) this.setOptionValueWithSource(target, value, 'env');
    else if (value === true) this.setOptionValueWithSource(target, shorthand.value, 'env');
  }

  /** commander's way to report an invalid command line. */
  override error(message: string): never {
    return this.#blame(() => throwIt(new UsageError(message.replace(/^error: /, '').replace(/\n/g, ' '))));
  }
}

function throwIt(error: unknown): never {
  throw error;
}

/** commander's default text, with our variables beside the defaults. */
class CliHelp extends Help {
  /** Wraps narrow columns too: some options are long. */
  override minWidthToWrap = 20;

  override optionDescription(option: Option): string {
    const notes = [
      ...(option.argChoices && !option.flags.includes('|') ? [option.argChoices.join(', ')] : []),
      ...(option.defaultValueDescription === undefined ? [] : [`default: ${option.defaultValueDescription}`]),
      ...(option instanceof CliOption && option.variable ? [`env: ${option.variable}`] : []),
    ];
    return option.description + (notes.length === 0 ? '' : ` (${notes.join('; ')})`);
  }
}
