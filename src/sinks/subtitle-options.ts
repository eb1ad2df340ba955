/**
 * How subtitles look: the options, their defaults, and their checks. What follows from them is in cue-splitter.ts and cue-maker.ts.
 */
import { expected, finite, integer, optionalBoolean } from '../options.js';
import { checkFileSinkOptions, type FileSinkOptions } from './sink.js';

/**
 * Options of `srtWriter` and `vttWriter`. By default cues keep the habits of subtitling: they are split at punctuation, else at
 * pauses, else before small words such as "and", and stay long enough to be read.
 */
export interface SubtitleOptions extends FileSinkOptions {
  /**
   * Mark each word while it is spoken: a cue becomes several with the same text, one a word. parakeet-mlx marks tokens, which are parts of
   * words.
   * @defaultValue false
   */
  highlightWords?: boolean | undefined;
  /**
   * Columns of a line, at least 10; a wide character (Chinese, Japanese) takes two.
   * @defaultValue 42
   */
  maxLineWidth?: number | undefined;
  /**
   * Lines of a cue, at least 1.
   * @defaultValue 2
   */
  maxLineCount?: number | undefined;
  /**
   * Seconds that a cue stays at least, unless the next one begins before, at least 0.
   * @defaultValue 1
   */
  minCueDuration?: number | undefined;
  /**
   * Seconds that a cue stays at most, more than `minCueDuration`.
   * @defaultValue 7
   */
  maxCueDuration?: number | undefined;
  /**
   * Columns that a reader takes in a second: a cue stays longer where the speech leaves time for it, at least 1.
   * @defaultValue 20
   */
  maxCharactersPerSecond?: number | undefined;
  /**
   * One cue a sentence, however long, from its first word to its last, as parakeet-mlx writes them; not with the five above.
   * @defaultValue false
   */
  cuePerSentence?: boolean | undefined;
}

/** The options, settled. */
export interface SubtitleRules {
  highlightWords: boolean;
  lineWidth: number;
  lineCount: number;
  shortest: number;
  longest: number;
  speed: number;
  perSentence: boolean;
}

/** The options that shape cues, which `cuePerSentence` leaves no room for. */
export const cueShapeKeys = [
  'maxLineWidth',
  'maxLineCount',
  'minCueDuration',
  'maxCueDuration',
  'maxCharactersPerSecond',
] as const;

/** @throws {@link ArgumentError} */
export function subtitleRules(what: string, options: SubtitleOptions): SubtitleRules {
  checkFileSinkOptions(what, options, ['highlightWords', ...cueShapeKeys, 'cuePerSentence']);
  const perSentence = optionalBoolean('cuePerSentence', options.cuePerSentence) ?? false;
  const stray = perSentence ? cueShapeKeys.find((key) => options[key] !== undefined) : undefined;
  if (stray) throw expected('no value beside cuePerSentence', stray, options[stray]);
  const shortest = finite('minCueDuration', options.minCueDuration ?? 1, 0, 60);
  const longest = finite('maxCueDuration', options.maxCueDuration ?? 7, 0.1, 3600);
  if (longest <= shortest)
    throw expected('more than minCueDuration', 'maxCueDuration', options.maxCueDuration ?? longest);
  return {
    highlightWords: optionalBoolean('highlightWords', options.highlightWords) ?? false,
    lineWidth: integer('maxLineWidth', options.maxLineWidth ?? 42, 10, 1000),
    lineCount: integer('maxLineCount', options.maxLineCount ?? 2, 1, 100),
    shortest,
    longest,
    speed: finite('maxCharactersPerSecond', options.maxCharactersPerSecond ?? 20, 1, 1000),
    perSentence,
  };
}
