/**
 * The whole command line as commander sees it: commands, arguments, options, help. Each command's work is in its own file, which is loaded
 * on demand.
 */
import { packageVersion } from '../version.js';
import { CliCommand } from './cli-command.js';
import type { Values } from './cli-option.js';
import { completionScript, SHELLS } from './completion.js';
import type { Ending } from './ending.js';
import * as options from './options.js';
import type { Terminal } from './terminal.js';

/** What a command works with. */
export interface Context {
  terminal: Terminal;
  ending: Ending;
  /** Whether an option is on the command line itself, not from the environment or a default. */
  given(option: string): boolean;
  /** Whether the command line or the environment has the option. */
  said(option: string): boolean;
}

/** A command's work; resolves with the exit code. */
type Work = (args: string[], values: Values, context: Context) => Promise<number> | number;

const FORMATS_HELP = `
A transcript's format is what its name ends in, or --output-format.

Examples:
  parakeet transcribe talk.mp3
  parakeet transcribe -f all --output-dir out *.wav
  parakeet transcribe talk.mp3 -o - -f txt | less
  parakeet transcribe talk.mp3 -o talk.srt -o talk.json
  ffmpeg -i film.mkv -f wav - | parakeet transcribe - -o film.vtt
`;

const LIVE_HELP = `
Examples:
  parakeet live --mic -o talk.srt
  arecord -q -f S16_LE -r 16000 -c 1 -t raw | parakeet live -o talk.srt
  ffmpeg -i rtmp://host/live -f s16le -ar 16000 -ac 1 - | parakeet live -o - -f jsonl | jq .text
`;

const SERVE_HELP = `
Clients of OpenAI and Deepgram need only another address: see docs/server.md.
Ctrl-C or SIGTERM: what is live is made final and delivered, then exit code 0.

Examples:
  parakeet serve
  parakeet serve --host 0.0.0.0 --token-file tokens --tls-cert cert.pem --tls-key key.pem
`;

const ENQUEUE_HELP = `
Names may be patterns in quotes; - reads names from stdin, one on each line.
Without --redis this process does the work. Killed, it goes on where it was
when the same command is given again; Ctrl-C finishes the window.
PARAKEET_WEBHOOK_SECRET signs what --webhook sends.

Examples:
  parakeet enqueue -f all --output-dir out 'archive/**/*.mp3'
  find archive -name '*.wav' | parakeet enqueue --redis redis://host -
  parakeet enqueue --redis redis://host --output-dir s3://texts s3://sound/a.wav
`;

const WORK_HELP = `
Ctrl-C or SIGTERM: finishes the window and hands back the rest, exit code 0.

Examples:
  parakeet work --redis redis://host
  parakeet work --redis redis://host --threads 8 --metrics-port 9464
`;

const BUILD_HELP = `
Needs the package @parakeet-stream/source,
Python 3 with pip, CMake and a C++20 compiler.
PARAKEET_BACKEND=cuda builds for CUDA.
MLX_ROOT names a folder of MLX to build with.
`;

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 not understood; 130, 143, 129 after Ctrl-C,
SIGTERM, SIGHUP (what was final is written); 141 when nobody reads the output.
`;

/** @param finish Takes the exit code of the command that ran. */
export function createProgram(
  base: Omit<Context, 'given' | 'said'>,
  finish: (code: number) => void,
): CliCommand {
  const { terminal } = base;
  const program = new CliCommand('parakeet');
  program
    .description('Speech to text with NVIDIA Parakeet models, live or from files.')
    .version(`parakeet-stream ${packageVersion}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', EXIT_CODES)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHelpWidth: () => terminal.stdout.columns || 80,
      getErrHelpWidth: () => terminal.stderr.columns || 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .hook('preAction', (_, command) => (command as CliCommand).settle(terminal.env));

  const does = (command: CliCommand, load: () => Promise<Work>) =>
    command
      .version(`parakeet-stream ${packageVersion}`, '--version', 'print the version')
      .action(async () => {
        const work = await load();
        const sourceOf = (option: string) => command.getOptionValueSource(option);
        const given = (option: string) => sourceOf(option) === 'cli';
        const said = (option: string) => given(option) || sourceOf(option) === 'env';
        const context = { ...base, given, said };
        finish(await command.blamed(async () => work(command.args, command.opts(), context)));
      });

  const transcribe = sub(program, 'transcribe', 'write transcripts of sound files')
    .argument('<input...>', 'sound files, http(s) URLs, or - for stdin')
    .group('Output:', options.fileOutputOptions())
    .group('Subtitles:', options.subtitleOptions())
    .group('Input:', [...options.recordingOptions(), options.speakers()])
    .group('Model:', options.modelOptions())
    .group('Decoding:', options.decodingOptions())
    .group('Sentences:', options.textOptions())
    .group('Long audio:', options.windowOptions())
    .group('Messages:', options.messageOptions())
    .addHelpText('after', FORMATS_HELP);
  does(transcribe, async () => (await import('./transcribe.js')).transcribe);

  const live = sub(program, 'live', 'show captions of stdin or of a microphone as the words come')
    .argument('[-]', 'stdin, the default')
    .group('Input:', options.liveInputOptions())
    .group('Output:', options.liveOutputOptions())
    .group('Subtitles:', options.subtitleOptions())
    .group('Streaming:', options.streamOptions())
    .group('Model:', options.liveModelOptions())
    .group('Decoding:', options.decodingOptions())
    .group('Sentences:', options.textOptions())
    .group('Messages:', options.messageOptions())
    .addHelpText('after', LIVE_HELP);
  does(live, async () => (await import('./live.js')).live);

  const serve = sub(program, 'serve', 'transcribe for the clients of other services: HTTP and WebSocket')
    .group('Server:', options.serverOptions())
    .group('Other machines:', options.serverRedisOptions())
    .group('Limits:', options.limitOptions())
    .group('Model:', options.liveModelOptions())
    .group('Messages:', options.serverMessageOptions())
    .addHelpText('after', SERVE_HELP);
  does(serve, async () => (await import('./serve.js')).serve);

  does(
    sub(program, 'devices', 'list the microphones').group('Options:', [options.json()]),
    async () => (await import('./devices.js')).listDevices,
  );

  const enqueue = sub(program, 'enqueue', 'transcribe an archive, here or on many machines')
    .argument('<input...>', 'sound files, patterns, http(s) and s3:// URLs, or - for a list on stdin')
    .group('Queue:', options.enqueueOptions())
    .group('Output:', options.archiveOutputOptions())
    .group('Subtitles:', options.subtitleOptions())
    .group('Input:', options.recordingOptions())
    .group('Model:', options.modelOptions())
    .group('Decoding:', options.decodingOptions())
    .group('Sentences:', options.sentenceOptions())
    .group('Long audio:', options.windowOptions())
    .group('Messages:', options.messageOptions())
    .addHelpText('after', ENQUEUE_HELP);
  does(enqueue, async () => (await import('./enqueue.js')).enqueue);

  const work = sub(program, 'work', 'work on the recordings of a queue in Redis')
    .group('Queue:', options.queueOptions())
    .group('Work:', options.workOptions())
    .group('Model:', options.modelOptions())
    .group('Messages:', options.messageOptions())
    .addHelpText('after', WORK_HELP);
  does(work, async () => (await import('./work.js')).work);

  addJobs(program, does);
  addModels(program, does);
  addLanguageModels(program, does);

  does(
    sub(program, 'replay', 'run a session again that live --record kept, and say where it differs')
      .argument('<session.jsonl>', 'the session')
      .group('Options:', [options.model('another model', "the session's"), options.json()])
      .group('Options:', [
        options.dtype("another type; auto is the session's"),
        options.threads(),
        options.cacheDir(),
      ]),
    async () => (await import('./replay.js')).replay,
  );

  does(
    sub(program, 'doctor', 'print what this machine computes with, and how fast').group('Options:', [
      options.json(),
      options.threads(),
    ]),
    async () => (await import('./doctor.js')).doctor,
  );

  does(
    sub(program, 'verify', 'check that a model computes on this machine what it should')
      .argument(
        '[model]',
        'a folder, an archive or a repository; without it PARAKEET_MODEL, or the bundled one',
      )
      .group('Options:', [options.json(), ...options.computeOptions()]),
    async () => (await import('./verify.js')).verify,
  );

  does(
    sub(program, 'build', "compile the engine on this machine instead of taking the package's").addHelpText(
      'after',
      BUILD_HELP,
    ),
    async () => (await import('./build.js')).build,
  );

  does(
    sub(program, 'completion', 'print a completion script for a shell')
      .argument('<shell>', SHELLS.join(', '))
      .addHelpText('after', '\nFor bash, for example: parakeet completion bash >> ~/.bashrc\n'),
    async () =>
      ([shell = ''], _values, { terminal }) => {
        terminal.stdout.write(completionScript(shell, program));
        return 0;
      },
  );
  return program;
}

type Does = (command: CliCommand, load: () => Promise<Work>) => unknown;

function addJobs(program: CliCommand, does: Does): void {
  const jobs = sub(program, 'jobs', 'look after the recordings of a queue in Redis');
  const load = async () => import('./queue-jobs.js');
  const ids = 'ids of recordings, as list prints them';
  const common = () => [...options.queueOptions(), options.json()];
  does(
    sub(jobs, 'list', 'list the recordings that wait or are worked on, with their progress')
      .argument('[state...]', 'waiting, planned, active, done, failed')
      .group('Options:', [...common(), options.limit()]),
    async () => (await load()).list,
  );
  does(
    sub(jobs, 'failed', 'list the recordings that failed, and why').group('Options:', [
      ...common(),
      options.limit(),
    ]),
    async () => (await load()).failed,
  );
  does(
    sub(jobs, 'retry', 'put recordings that failed back into the queue')
      .argument('[id...]', `${ids}; without them all that failed`)
      .group('Options:', options.queueOptions()),
    async () => (await load()).retry,
  );
  does(
    sub(jobs, 'cancel', 'take recordings out of the queue, those that are worked on too')
      .argument('<id...>', ids)
      .group('Options:', options.queueOptions()),
    async () => (await load()).cancel,
  );
}

function addModels(program: CliCommand, does: Does): void {
  const models = sub(program, 'models', 'fetch, list, describe, remove, convert or calibrate models');
  const load = async () => import('./models.js');
  const name = '<name>';
  const repository = 'a Hugging Face repository, such as mlx-community/parakeet-tdt-0.6b-v3';
  does(
    sub(models, 'pull', "fetch a model into the cache that Hugging Face's libraries share")
      .argument(name, repository)
      .group('Options:', [options.revision(), options.cacheDir(), options.json()]),
    async () => (await load()).pull,
  );
  does(
    sub(models, 'list', 'list the models in the cache').group('Options:', [
      options.cacheDir(),
      options.json(),
    ]),
    async () => (await load()).list,
  );
  does(
    sub(models, 'info', 'describe a model')
      .argument(name, 'a folder, an archive, or a repository in the cache')
      .group('Options:', [options.dtype(), options.threads(), options.cacheDir(), options.json()]),
    async () => (await load()).info,
  );
  does(
    sub(models, 'rm', 'remove a model from the cache')
      .argument(name, repository)
      .group('Options:', [options.cacheDir(), options.json()]),
    async () => (await load()).remove,
  );
  does(
    sub(models, 'convert', 'write a model of any format to a new folder that loads directly')
      .argument('<model>', 'a folder, an archive or a repository')
      .argument('<folder>', 'the new folder')
      .group('Options:', [
        options.dtype(
          'type of the matrices; auto leaves them as they are, int8 takes a quarter of float32, int4 a sixth',
        ),
        options.packed(),
        options.revision(),
        options.cacheDir(),
        options.json(),
      ]),
    async () => (await load()).convert,
  );
  does(
    sub(
      models,
      'calibrate',
      'make probabilities of the confidences of a model, for speech like your recordings',
    )
      .argument('<folder>', "the model's folder, in which confidence.json is written")
      .group('Options:', [...options.calibrateOptions(), options.dtype(), options.threads(), options.json()]),
    async () => (await load()).calibrate,
  );
}

function addLanguageModels(program: CliCommand, does: Does): void {
  const lm = sub(program, 'lm', 'make language models, for --lm');
  const load = async () => import('./lm.js');
  does(
    sub(lm, 'build', 'make a language model of text, written as the speech model writes')
      .argument('<text...>', 'text files, or - for stdin')
      .group('Options:', [...options.languageModelBuildOptions(), options.cacheDir(), options.json()]),
    async () => (await load()).build,
  );
  does(
    sub(
      lm,
      'convert',
      "convert an ARPA file of token n-grams, such as those that NeMo makes, or an archive of NeMo's NGPU-LM",
    )
      .argument('<file>', 'the ARPA file, or - for stdin, or the .nemo archive')
      .group('Options:', [...options.languageModelConvertOptions(), options.cacheDir(), options.json()]),
    async () => (await load()).convert,
  );
}

function sub(parent: CliCommand, name: string, description: string): CliCommand {
  return parent.command(name).description(description).helpOption('-h, --help', 'print this help');
}
