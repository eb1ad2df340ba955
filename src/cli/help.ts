/**
 * The help texts, made from the option tables, so that no option can be missing from them.
 */
import {
  DEVICES_OPTIONS,
  DOCTOR_OPTIONS,
  LIVE_OPTIONS,
  MODELS_OPTIONS,
  type OptionTable,
  REPLAY_OPTIONS,
  TRANSCRIBE_OPTIONS,
  VERIFY_OPTIONS,
} from './options.js';

const WIDTH = 34;

export const GENERAL_HELP = `Usage: parakeet <command> [options]

Commands:
  transcribe FILE… | -    write transcripts of sound files, or of the sound on stdin
  live [-] | live --mic   show captions of the sound on stdin or of a microphone as it comes
  devices                 list the microphones
  models pull|list|info|rm|convert   fetch, list, describe, remove or convert models
  replay SESSION          run a session again that live --record kept, and say where it differs
  doctor                  say what this machine computes with, and how fast
  verify [MODEL]          prove that a model computes on this machine what it should

  parakeet <command> --help    the options of a command
  parakeet --version

Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted (what was final is on disk).
`;

export const TRANSCRIBE_HELP = `Usage: parakeet transcribe [options] FILE… | -

Writes a transcript of each file, or of the sound on stdin (-).

Options:
${describe(TRANSCRIBE_OPTIONS)}`;

export const MODELS_HELP = `Usage: parakeet models pull|info|rm NAME
       parakeet models list
       parakeet models convert [--dtype int8|bfloat16|float32] MODEL FOLDER

Fetches a model of the Hugging Face hub into the cache that all of Hugging Face's libraries share (needs the package
@huggingface/hub), lists what is there, describes a model, or removes one. convert writes a model of any format (a folder of parakeet-mlx or of
transformers, a .nemo archive) to a new folder, its matrices in the type that is named; int8 takes a quarter of float32.

Options:
${describe(MODELS_OPTIONS)}`;

export const DEVICES_HELP = `Usage: parakeet devices [options]

Lists the input devices of this machine.

Options:
${describe(DEVICES_OPTIONS)}`;

export const LIVE_HELP = `Usage: … | parakeet live [options] [-]
       parakeet live --mic [options]

Shows captions of the sound on stdin, or of a microphone, as it comes; what is not settled yet is dim.

Options:
${describe(LIVE_OPTIONS)}
Example:
  arecord -q -f S16_LE -r 16000 -c 1 -t raw | parakeet live -o talk.srt
`;

export const REPLAY_HELP = `Usage: parakeet replay [options] SESSION.jsonl

Runs a session again that parakeet live --record has kept, as fast as the machine can, and says where its events differ
(exit code 1). Drafts and delays, which hang on the machine's speed, are not compared.

Options:
${describe(REPLAY_OPTIONS)}`;

export const DOCTOR_HELP = `Usage: parakeet doctor [options]

Says what this machine computes with, which types it is fast in, and how fast it is, measured for about a second.

Options:
${describe(DOCTOR_OPTIONS)}`;

export const VERIFY_HELP = `Usage: parakeet verify [options] [MODEL]

Proves on this machine that a model (a folder, an archive, a repository's name; without one the bundled model, or PARAKEET_MODEL) computes
what it should. The bundled model is held against arrays and tokens of a reference that shares no code with the engine; for every model its
types must agree, a stream must give what the whole recording gives, and silence must be silent. Then it says how many words of some short
English recordings are wrong, and how fast they were heard. Exit code 0: everything holds; 1: something does not.

Options:
${describe(VERIFY_OPTIONS)}`;

function describe(table: OptionTable): string {
  let text = '';
  for (const [name, spec] of Object.entries(table)) {
    const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
    const value = spec.kind === 'switch' ? '' : ` ${spec.value ?? spec.choices?.join('|') ?? 'VALUE'}`;
    const left = `  ${short}--${name}${value}`;
    const notes = [
      ...(spec.choices !== undefined && spec.value !== undefined ? [spec.choices.join(', ')] : []),
      ...(spec.default === undefined ? [] : [`default: ${spec.default}`]),
      ...(spec.env === undefined ? [] : [`env: ${spec.env}`]),
    ];
    const right = spec.help + (notes.length === 0 ? '' : ` (${notes.join('; ')})`);
    text +=
      left.length < WIDTH ? `${left.padEnd(WIDTH)}${right}\n` : `${left}\n${' '.repeat(WIDTH)}${right}\n`;
  }
  return text;
}
