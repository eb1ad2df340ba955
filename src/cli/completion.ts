/**
 * Completion scripts for bash, zsh and fish, generated from commander's own definition of the command line: nothing is listed twice.
 */
import type { Command, Option } from 'commander';
import { UsageError } from './usage-error.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** @throws {@link UsageError} for another shell. */
export function completionScript(shell: string, program: Command): string {
  switch (shell) {
    case 'bash':
      return bash(program);
    case 'zsh':
      // zsh runs bash's completions.
      return `#compdef ${program.name()}\nautoload -U +X bashcompinit && bashcompinit\n${bash(program)}`;
    case 'fish':
      return fish(program);
    default:
      throw new UsageError(`Expected one of ${SHELLS.join(', ')} but received ${shell}`);
  }
}

/** A command with the words that lead to it, such as `models pull`. */
interface Place {
  words: string[];
  command: Command;
}

function placesOf(command: Command, words: string[] = []): Place[] {
  const below = command.commands.flatMap((sub) => placesOf(sub, [...words, sub.name()]));
  return [{ words, command }, ...below];
}

const flagsOf = (command: Command): string[] =>
  [
    ...command.options.filter(({ hidden }) => !hidden).flatMap(({ short, long }) => [short, long]),
    '-h',
    '--help',
  ].filter((flag) => flag !== undefined);

/** How an option's value is completed: words, a folder, or files. */
function valuesOf(option: Option): { words?: readonly string[]; folder?: boolean } {
  if (option.argChoices) return { words: option.argChoices };
  return option.flags.includes('<DIR>') ? { folder: true } : {};
}

function bash(program: Command): string {
  const name = program.name();
  const places = placesOf(program);
  const paths = places.map(({ words }) => words.join(' ')).filter((path) => path !== '');
  const cases = places.map(({ words, command }) => {
    const offered = [...command.commands.map((sub) => sub.name()), ...(words.length === 0 ? ['help'] : [])];
    const values = command.options
      .filter((option) => option.required)
      .map((option) => {
        const flags = [option.short, option.long].filter((flag) => flag !== undefined).join('|');
        const { words, folder } = valuesOf(option);
        const reply = words ? `-W "${words.join(' ')}"` : folder ? '-d' : '-f';
        return `        ${flags}) COMPREPLY=($(compgen ${reply} -- "$cur")); return ;;\n`;
      });
    return `    "${words.join(' ')}")
      case "$prev" in
${values.join('')}      esac
      offered="${offered.join(' ')}"
      flags="${flagsOf(command).join(' ')}" ;;
`;
  });
  return `_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" word offered="" flags=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.map((path) => `"${path}"`).join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  COMPREPLY=()
  case "$path" in
${cases.join('')}  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) if [ -n "$offered" ]; then COMPREPLY=($(compgen -W "$offered" -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi ;;
  esac
}
complete -o filenames -F _${name} ${name}
`;
}

function fish(program: Command): string {
  const name = program.name();
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = placesOf(program).flatMap(({ words, command }) => {
    const last = words.at(-1);
    const here = last === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${last}`;
    const names = command.commands.map((sub) => sub.name());
    const open =
      words.length > 0 && names.length > 0
        ? `${here}; and not __fish_seen_subcommand_from ${names.join(' ')}`
        : here;
    const subcommands = command.commands.map(
      (sub) => `complete -c ${name} -f -n ${quoted(open)} -a ${sub.name()} -d ${quoted(sub.description())}`,
    );
    const options = command.options.map((option) => {
      const { words: choices, folder } = valuesOf(option);
      const value = choices
        ? ` -x -a ${quoted(choices.join(' '))}`
        : folder
          ? " -x -a '(__fish_complete_directories)'"
          : option.required
            ? ' -r'
            : '';
      const short = option.short ? ` -s ${option.short.slice(1)}` : '';
      const long = option.long ? ` -l ${option.long.slice(2)}` : '';
      return `complete -c ${name} -n ${quoted(here)}${short}${long}${value} -d ${quoted(option.description)}`;
    });
    return [...subcommands, ...options];
  });
  return `${lines.join('\n')}\n`;
}
