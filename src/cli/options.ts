/**
 * The options of the commands, in groups as the help shows them. Names and variables are parakeet-mlx's if it has them, else whisper's or
 * ffmpeg's. How they are used is up to the commands.
 */
import { pcmEncodings } from '../audio/formats/pcm.js';
import { MEASURES } from '../model/confidence.js';
import { latencyPresets } from '../model/latency.js';
import { FORMATS } from '../sinks/formats.js';
import { CliOption, type Values } from './cli-option.js';
import { UsageError } from './usage-error.js';

/** The values of `--format`: formats that are recognised, and raw PCM. */
const INPUT_FORMATS = ['auto', 'wav', 'flac', ...pcmEncodings] as const;

export const isPcm = (format: unknown): boolean => (pcmEncodings as readonly unknown[]).includes(format);

export const json = (): CliOption => new CliOption('--json', 'print one line of JSON');

export const model = (
  help = 'a folder, an archive, or a Hugging Face repository',
  preset = 'the bundled one',
) => new CliOption('--model <NAME>', help).from('PARAKEET_MODEL').default(undefined, preset);

export const cacheDir = () =>
  new CliOption('--cache-dir <DIR>', 'where models are kept')
    .from('PARAKEET_CACHE_DIR')
    .default(undefined, "Hugging Face's own cache");

export const packed = () =>
  new CliOption(
    '--packed',
    "lay out the matrices as this machine's CPU multiplies them: the model loads in a fraction of the time, and processes share its memory",
  );

export const revision = () =>
  new CliOption('--revision <NAME>', 'a branch, tag or commit').default(undefined, 'main');

export const threads = () =>
  CliOption.integer('--threads <N>', 'CPU threads', 1)
    .from('PARAKEET_THREADS')
    .default(undefined, 'all cores');

export const dtype = (
  help = 'type of the weights and their products; auto is bfloat16 where that is fast, else float32',
) =>
  CliOption.choice('--dtype <TYPE>', help, ['auto', 'float32', 'bfloat16', 'int8', 'int4'])
    .from('PARAKEET_DTYPE')
    .presets('auto');

const fp32 = () => new CliOption('--fp32', '--dtype float32').from('PARAKEET_FP32').means('dtype', 'float32');
const bf16 = () => new CliOption('--bf16', '--dtype bfloat16').means('dtype', 'bfloat16');

/** The model, and what it computes with. */
export const modelOptions = (): CliOption[] => [model(), dtype(), fp32(), bf16(), threads(), cacheDir()];

/** The same for live sound, which a second model may help to transcribe. */
export const liveModelOptions = (): CliOption[] => [
  model(),
  new CliOption(
    '--draft-model <NAME>',
    'a second, faster model that writes the drafts, such as a cache-aware one',
  ),
  ...computeOptions(),
];

/** The same for commands that take the model as an argument. */
export const computeOptions = (): CliOption[] => [dtype(), fp32(), bf16(), threads(), cacheDir()];

const CONFIDENCES = ['calibrated', ...MEASURES];

/** How a model is calibrated. */
export const calibrateOptions = (): CliOption[] => [
  new CliOption(
    '--references <PATH>',
    'recordings with what is said in them: a folder of sound files, each beside a .txt of its name, or a JSONL manifest as NeMo has it',
  ).makeOptionMandatory() as CliOption,
  CliOption.choice('--measure <KIND>', 'the measure that becomes a probability', MEASURES).presets('entropy'),
];

/** How tokens are chosen: the same for live sound and for files. */
export function decodingOptions(): CliOption[] {
  const beam = (option: CliOption) => option.needs('--decoding beam', (values) => values.decoding === 'beam');
  return [
    new CliOption('--language <NAME>', 'the language, of a model that is told it, such as en-US'),
    CliOption.choice(
      '--decoding <METHOD>',
      'how words are chosen; beam: fewer errors, a little slower. Unsaid, the bundled model takes a beam with its language model for files and --latency accurate',
      ['greedy', 'beam'],
    )
      .from('PARAKEET_DECODING')
      .presets('greedy'),
    beam(CliOption.integer('--beam-size <N>', 'beam: how many hypotheses are kept', 1))
      .from('PARAKEET_BEAM_SIZE')
      .presets(5),
    beam(
      CliOption.number(
        '--length-penalty <X>',
        'beam: how much long hypotheses are favoured; 0: not at all',
        0,
      ),
    )
      .from('PARAKEET_LENGTH_PENALTY')
      .default(undefined, 'as the search needs it'),
    beam(
      CliOption.choice(
        '--search <KIND>',
        "beam: which hypotheses compete; parakeet-mlx: as that program's, of TDT",
        ['frame', 'parakeet-mlx'],
      ),
    ).from('PARAKEET_SEARCH'),
    beam(
      CliOption.number(
        '--patience <X>',
        '--search parakeet-mlx, which it implies: how many hypotheses must reach the end, as a multiple of --beam-size',
        0.01,
      ),
    )
      .from('PARAKEET_PATIENCE')
      .default(undefined, '1'),
    beam(
      CliOption.number(
        '--duration-reward <X>',
        '--search parakeet-mlx, which it implies: weight of durations against words, 0 to 1',
        0,
      ),
    )
      .from('PARAKEET_DURATION_REWARD')
      .default(undefined, '0.7'),
    CliOption.choice('--head <HEAD>', 'which head of a hybrid model decodes', ['tdt', 'rnnt', 'ctc'])
      .from('PARAKEET_HEAD')
      .default(undefined, "the model's best"),
    ...languageModelOptions(),
    CliOption.choice('--confidence <KIND>', 'what the confidence of words is', CONFIDENCES)
      .from('PARAKEET_CONFIDENCE')
      .default(undefined, 'calibrated, of a model that is'),
    new CliOption(
      '--boost <FILE>',
      'phrases to boost, one per line, each optionally followed by a tab and a weight',
    ).from('PARAKEET_BOOST'),
  ];
}

/** A language model beside the acoustic one. */
function languageModelOptions(): CliOption[] {
  const weight = (option: CliOption) =>
    option.needs('--lm', ({ lm }) => lm !== undefined).default(undefined, 'as the search needs it');
  return [
    CliOption.list(
      '--lm <FILE>',
      "language model of parakeet lm, FILE=WEIGHT beside others; model: the one in the model's folder; none",
    ),
    weight(CliOption.number('--lm-weight <X>', 'how much the language model counts', 0)),
    weight(CliOption.number('--token-bonus <X>', 'with --lm: added for each token', -10)),
    weight(
      CliOption.number('--internal-lm-weight <X>', "with --lm: how much of the model's own is taken off", 0),
    ),
  ];
}

const languageModelOutput = () =>
  new CliOption('-o, --output <FILE>', 'the new file').default(undefined, "the first input's name with .lm");

/** How other programs' language models are read. */
export const languageModelConvertOptions = (): CliOption[] => [
  languageModelOutput(),
  model('the speech model whose tokens they are'),
  CliOption.choice('--tokens <KIND>', "what the file's words are: pieces, or NeMo's characters", [
    'auto',
    'pieces',
    'nemo',
  ]).presets('auto'),
];

/** How a language model is made. */
export const languageModelBuildOptions = (): CliOption[] => [
  languageModelOutput(),
  model('the speech model whose tokens are counted'),
  CliOption.integer('--order <N>', 'tokens of the longest sequences, 1 to 6', 1).presets(4),
  new CliOption('--size <BYTES>', 'largest size of the file, such as 500KB or 3MB', readBytes).default(
    3_000_000,
    '3MB',
  ),
];

const UNITS: Record<string, number> = { '': 1, kb: 1e3, mb: 1e6, gb: 1e9 };

function readBytes(text: string, name: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) *([kmg]b)?$/i.exec(text) ?? [];
  if (digits !== '') return Math.round(Number(digits) * (UNITS[unit.toLowerCase()] as number));
  throw new UsageError(`Expected a size such as 500KB or 3MB for ${name} but received ${text}`);
}

/** How the text is written, and where sentences end. */
export const textOptions = (): CliOption[] => [
  CliOption.choice('--text <FORM>', 'numbers as they are said, or as digits', ['spoken', 'written'])
    .from('PARAKEET_TEXT')
    .presets('spoken'),
  ...sentenceOptions(),
];

/** Where sentences end. */
export const sentenceOptions = (): CliOption[] => [
  CliOption.integer('--max-words <N>', 'end a sentence after N words', 1).from('PARAKEET_MAX_WORDS'),
  CliOption.number('--silence-gap <SECONDS>', 'end a sentence at a silence of this length', 0).from(
    'PARAKEET_SILENCE_GAP',
  ),
  CliOption.number('--max-duration <SECONDS>', 'end a sentence that grows longer than this', 0).from(
    'PARAKEET_MAX_DURATION',
  ),
];

/** The layout of subtitles; the names of lines are whisper's. */
export function subtitleOptions(): CliOption[] {
  const subtitles = (option: CliOption) => option.needs('an srt or vtt transcript', hasSubtitles);
  const shaping = (option: CliOption) => subtitles(option).conflicts('cuePerSentence');
  return [
    shaping(CliOption.integer('--max-line-width <COLUMNS>', 'width of a line', 10)).presets(42),
    shaping(CliOption.integer('--max-line-count <N>', 'lines of a cue', 1)).presets(2),
    shaping(CliOption.number('--min-cue-duration <SECONDS>', 'shortest time of a cue', 0)).presets(1),
    shaping(CliOption.number('--max-cue-duration <SECONDS>', 'longest time of a cue', 0.1)).presets(7),
    shaping(
      CliOption.number('--max-characters-per-second <N>', 'reading speed, as far as the speech allows', 1),
    ).presets(20),
    subtitles(
      new CliOption('--cue-per-sentence', 'one cue per sentence, however long, as parakeet-mlx writes them'),
    ),
    subtitles(new CliOption('--highlight-words', 'mark each word as it is spoken')),
    new CliOption('--no-highlight-words', 'mark no words, the default'),
  ];
}

function hasSubtitles({ output, outputFormat }: Values): boolean {
  const byFormat = ['srt', 'vtt', 'all'].includes(outputFormat as string);
  if (output === undefined) return byFormat;
  return (output as string[]).some((file) => {
    const ending = /\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
    const named = (FORMATS as readonly string[]).includes(ending);
    return named ? ending === 'srt' || ending === 'vtt' : byFormat;
  });
}

/** What is written to stderr. */
export const messageOptions = (): CliOption[] => [
  new CliOption('-q, --quiet', 'print nothing but errors').conflicts('verbose'),
  new CliOption('-v, --verbose', 'print details on stderr'),
];

const rate = () => CliOption.integer('--rate <HZ>', 'samples per second of raw PCM', 1).presets(16_000);
const channels = () => CliOption.integer('--channels <N>', 'channels of raw PCM', 1).presets(1);
const inputFormat = (help: string) =>
  CliOption.choice('--format <FORMAT>', help, INPUT_FORMATS).presets('auto');

/** Which part of a recording is transcribed, and what its bytes are. */
export function recordingOptions(): CliOption[] {
  const pcm = (option: CliOption) =>
    option.needs('a raw --format, such as s16le,', ({ format }) => isPcm(format));
  return [
    CliOption.time('--start <TIME>', 'skip this much: seconds, 1:30, or 1:02:03.5', 0),
    CliOption.time('--duration <TIME>', 'transcribe no more than this much', 0.001),
    CliOption.integer('--track <N>', "which of a file's audio tracks, from 0 (needs ffmpeg)", 0),
    inputFormat('of the input'),
    pcm(rate()),
    pcm(channels()),
  ];
}

/** Who speaks in the channels of a recording. */
export const speakers = (): CliOption =>
  new CliOption(
    '--speakers <WHO>',
    "each channel is a speaker's: channels, or their names in the order of the channels, such as Anna,Ben",
    (text, name) => {
      if (text === 'channels') return text;
      const names = text.split(',').map((one) => one.trim());
      if (names.length > 1 && !names.includes('')) return { channels: names };
      throw new UsageError(
        `Expected channels, or names with commas between, for ${name} but received ${text}`,
      );
    },
  ).default(undefined, 'channels are mixed');

/** How long recordings are processed. */
export function windowOptions(): CliOption[] {
  return [
    CliOption.number(
      '--chunk-duration <SECONDS>',
      'long audio is transcribed in windows of this length; 0: in one piece',
      0,
    )
      .from('PARAKEET_CHUNK_DURATION')
      .presets(120),
    CliOption.number('--overlap-duration <SECONDS>', 'how much one window overlaps the next', 0)
      .from('PARAKEET_OVERLAP_DURATION')
      .presets(15)
      .needs('a --chunk-duration other than 0', ({ chunkDuration }) => chunkDuration !== 0),
    CliOption.choice('--attention <KIND>', 'local needs less memory for long windows', [
      'full',
      'local',
    ]).presets('full'),
    new CliOption('--local-attention', '--attention local')
      .from('PARAKEET_LOCAL_ATTENTION')
      .means('attention', 'local'),
    new CliOption('--full-attention', '--attention full').means('attention', 'full'),
    CliOption.integer(
      '--local-attention-context-size <FRAMES>',
      'how many frames of 80 ms local attention sees on each side',
      0,
    )
      .from('PARAKEET_LOCAL_ATTENTION_CTX')
      .presets(256)
      .needs('--local-attention', ({ attention }) => attention === 'local'),
  ];
}

const outputFormat = (help: string, words: readonly string[]) =>
  CliOption.choice('-f, --output-format <FORMAT>', help, words);

/** Where the transcripts of files are written. */
export function fileOutputOptions(): CliOption[] {
  const named = ({ output }: Values) => output === undefined;
  return [
    outputFormat('format of the transcripts', [...FORMATS, 'all'])
      .from('PARAKEET_OUTPUT_FORMAT')
      .presets('srt'),
    CliOption.list(
      '-o, --output <FILE>',
      'write to this file, or with - to stdout; may be given several times',
    ),
    new CliOption('--output-dir <DIR>', 'folder of the transcripts').presets('.').needs('no --output', named),
    new CliOption(
      '--output-template <NAME>',
      'names of the transcripts, from {parent}, {filename}, {index} and {date}',
    )
      .from('PARAKEET_OUTPUT_TEMPLATE')
      .presets('{filename}')
      .needs('no --output', named),
    new CliOption('-n, --no-clobber', 'keep transcripts that are already there'),
  ];
}

/** The source of `live`. */
export function liveInputOptions(): CliOption[] {
  const stdin = (option: CliOption) =>
    option.needs('no --mic, which has a format of its own,', ({ mic }) => !mic);
  const pcm = (option: CliOption) =>
    option.needs(
      'a raw --format, such as s16le,',
      ({ mic, format }) => !mic && (format === 'auto' || isPcm(format)),
    );
  return [
    new CliOption('--mic', 'listen to a microphone instead of stdin'),
    new CliOption(
      '--device <NAME>',
      'the microphone: its name, a part of it, or its number in `parakeet devices`',
    ).needs('--mic', ({ mic }) => mic === true),
    stdin(inputFormat('of stdin; auto recognises sound files and reads anything else as s16le')),
    pcm(rate()),
    pcm(channels()),
  ];
}

/** The outputs of `live`. */
export function liveOutputOptions(): CliOption[] {
  const file = (option: CliOption) => option.needs('--output', ({ output }) => output !== undefined);
  return [
    CliOption.list(
      '-o, --output <FILE>',
      'also write a transcript as the words come, or with - to stdout; may be given several times',
    ),
    file(outputFormat('format of an output whose name has no ending, and of -', FORMATS)),
    file(new CliOption('--append', 'continue outputs that are already there; times go on too')).conflicts(
      'overwrite',
    ),
    new CliOption('--overwrite', 'replace outputs that are already there').needs(
      '--output or --record',
      ({ output, record }) => output !== undefined || record !== undefined,
    ),
    new CliOption('--record <FILE>', 'keep the session (FILE.jsonl and its sound) for parakeet replay'),
  ];
}

/** A preset, or the seconds of a chunk that a cache-aware model was trained with. */
function latency(): CliOption {
  const description =
    'how long to wait for what follows before a word is final; of a cache-aware model also seconds, such as 0.56';
  const option = new CliOption('--latency <PRESET>', description, (text, name) => {
    if ((latencyPresets as string[]).includes(text)) return text;
    const seconds = text.trim() === '' ? Number.NaN : Number(text);
    if (seconds > 0 && Number.isFinite(seconds)) return seconds;
    const expected = `one of ${latencyPresets.join(', ')}, or a number of seconds`;
    throw new UsageError(`Expected ${expected} for ${name} but received ${text}`);
  });
  option.argChoices = [...latencyPresets];
  return option.presets('balanced');
}

export const streamOptions = (): CliOption[] => [
  latency(),
  new CliOption('--refine', 'transcribe each sentence again when it is over: better files, more work'),
  new CliOption('--silence-gate', 'let the model sleep while nobody speaks'),
];

/** Where the server listens, and to whom. */
export const serverOptions = (): CliOption[] => [
  new CliOption('--host <ADDRESS>', 'address to listen on').from('PARAKEET_HOST').presets('127.0.0.1'),
  CliOption.integer('--port <N>', 'port to listen on; 0: a free one', 0).from('PARAKEET_PORT').presets(8000),
  new CliOption('--token-file <FILE>', 'who may use it: a name and a token on each line').from(
    'PARAKEET_TOKEN_FILE',
  ),
  new CliOption('--anonymous', 'let everybody use it, also on an address that other machines reach'),
  CliOption.list('--origin <ORIGIN>', "a web page's origin that may use it; may be given several times"),
  new CliOption('--tls-cert <FILE>', 'certificate (PEM), to serve https and wss'),
  new CliOption('--tls-key <FILE>', 'its private key (PEM)'),
  CliOption.integer('--wyoming <PORT>', "speak Home Assistant's Wyoming protocol on this port", 0),
  new CliOption('--wyoming-host <ADDRESS>', 'address for that; the protocol has no tokens').presets(
    '127.0.0.1',
  ),
  latency(),
];

/** What the server shares with other machines through Redis. */
export function serverRedisOptions(): CliOption[] {
  const remote = (option: CliOption) => option.needs('--redis', ({ redis }) => redis !== undefined);
  return [
    redis().default(undefined, 'nothing is shared'),
    remote(new CliOption('--cluster', 'keep live transcripts there, for another server to go on with')),
    remote(new CliOption('--jobs', 'show the queue of an archive at /jobs')),
    remote(queueName()),
  ];
}

/** How much the server takes. */
export const limitOptions = (): CliOption[] => [
  CliOption.integer('--max-streams <N>', 'live transcripts at once', 1).default(undefined, 'measured'),
  CliOption.integer('--max-files <N>', 'files at once; others wait', 1).presets(2),
  CliOption.integer('--max-body <BYTES>', 'largest upload', 1024).default(undefined, '1 GiB'),
  CliOption.integer('--max-spool <BYTES>', 'largest upload that is stored while it comes', 0).default(
    undefined,
    '1 GiB',
  ),
  CliOption.number('--max-duration <SECONDS>', 'longest file or live transcript', 1).presets(14_400),
  CliOption.number('--idle-timeout <SECONDS>', 'end a live transcript without sound after this', 1).presets(
    30,
  ),
  CliOption.number('--stop-timeout <SECONDS>', 'time to deliver what is live when it stops', 0).presets(10),
];

/** What the server writes. */
export const serverMessageOptions = (): CliOption[] => [
  new CliOption('-q, --quiet', 'print nothing but errors and the log'),
  CliOption.choice('--log-level <LEVEL>', 'log on stdout, in JSON lines, without audio and text', [
    'none',
    'error',
    'warn',
    'info',
    'debug',
  ]).presets('info'),
];

const redis = () =>
  new CliOption('--redis <URL>', 'the queue is in this Redis: redis://HOST:PORT').from('PARAKEET_REDIS');
const queueName = () => new CliOption('--queue <NAME>', "the queue's name").presets('parakeet');

/** Which queue in Redis. */
export const queueOptions = (): CliOption[] => [redis(), queueName()];

/** How recordings are handed in. */
export function enqueueOptions(): CliOption[] {
  const remote = (option: CliOption) => option.needs('--redis', ({ redis }) => redis !== undefined);
  return [
    redis().default(undefined, 'this process does the work'),
    remote(queueName()),
    CliOption.integer('--attempts <N>', 'attempts at each recording', 1).presets(3),
    remote(new CliOption('--wait', 'wait for the recordings, and print what became of them')),
    remote(new CliOption('--mixed', 'let different kinds of machines share one recording')),
    new CliOption('--force', 'transcribe again what has been transcribed'),
  ];
}

/** Where the transcripts of an archive go. */
export const archiveOutputOptions = (): CliOption[] => [
  outputFormat('format of the transcripts', [...FORMATS, 'all'])
    .from('PARAKEET_OUTPUT_FORMAT')
    .presets('srt'),
  new CliOption('--output-dir <DIR>', 'folder of the transcripts, or s3://BUCKET/PREFIX').presets('.'),
  CliOption.address('--webhook <URL>', 'send each transcript there instead').conflicts('outputDir'),
  new CliOption(
    '--output-template <NAME>',
    'names of the transcripts, from {parent}, {filename}, {index} and {date}',
  )
    .from('PARAKEET_OUTPUT_TEMPLATE')
    .presets('{filename}'),
];

/** How a worker works. */
export const workOptions = (): CliOption[] => [
  CliOption.integer('--concurrency <N>', 'windows in hand at once, and recordings', 1).default(
    undefined,
    '1 on a CPU, 16 on a GPU',
  ),
  CliOption.number('--takeover <SECONDS>', 'a worker that died is missed after this', 1).presets(30),
  new CliOption('--scratch <DIR>', 'folder for recordings that are decoded as a whole').default(
    undefined,
    "the system's temporary folder",
  ),
  CliOption.integer('--metrics-port <PORT>', 'serve metrics for Prometheus on this port', 0),
  new CliOption('--metrics-host <ADDRESS>', 'address for that').presets('127.0.0.1'),
];

/** How many jobs are listed. */
export const limit = () => CliOption.integer('--limit <N>', 'most recordings of each state', 1).presets(100);
