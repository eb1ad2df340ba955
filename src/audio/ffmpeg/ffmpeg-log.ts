/**
 * What an `ffmpeg` process prints on stderr, line by line: its errors as far as they concern the sound, and what it knows about
 * the input. It expects the log with levels (`-loglevel level+info`), as ffmpeg has written it since version 4.1.
 */

/** Characters of error output that are kept: the first ones, where the cause is. */
const MOST = 2000;
/** Decoders of pictures and subtitles, which are not needed; excerpts of films begin with errors from them. */
const PICTURES =
  /^(h26\d|hevc|vvc|mpeg[124]video|mpeg4|msmpeg4|vp\d|av1|libdav1d|libaom|mjpeg|png|gif|bmp|webp|vc1|wmv\d|prores|dnxhd|rawvideo|theora|dvvideo|ffv1|swscaler|[vsd]ist#|ass|ssa|subrip|srt|mov_text|dvdsub|dvbsub|pgssub|cc_dec)/;

/** Reads the log of one process. */
export class FfmpegLog {
  /** Seconds of the whole input, where its container says so. */
  duration: number | undefined;
  /** True when the duration is that of the sound alone, and no guess. */
  durationIsOfSound = false;
  /** True once ffmpeg reported an error about the sound or the container. */
  failed = false;

  #line = '';
  readonly #complaints: string[] = [];
  #characters = 0;
  #input = false;
  #streams = 0;
  #sounds = 0;
  #estimated = false;

  /** Errors, and what came without a level. */
  get complaint(): string {
    return [...this.#complaints, this.#line.trim()].filter((line) => line !== '').join('; ');
  }

  push(text: string): void {
    const lines = (this.#line + text).split(/[\r\n]+/);
    this.#line = (lines.pop() ?? '').slice(-MOST);
    for (const line of lines) this.#read(line);
  }

  #read(line: string): void {
    const [, component = '', level, message = ''] =
      /^(?:\[([^\]]*?)(?: @ [^\]]*)?\] )?\[(\w+)\] ?(.*)$/.exec(line) ?? [];
    if (level === undefined) {
      if (!/Last message repeated/.test(line)) this.#complain(line);
      return;
    }
    if (['error', 'fatal', 'panic'].includes(level)) {
      if (PICTURES.test(component)) return;
      this.failed = true;
      this.#complain(component === '' ? message : `${component}: ${message}`);
      return;
    }
    if (/Estimating duration/.test(message)) this.#estimated = true;
    else if (/^Input #0/.test(message)) this.#input = true;
    else if (/^(Output #|Stream mapping)/.test(message)) this.#input = false;
    else if (this.#input) this.#readInput(message);
  }

  #readInput(message: string): void {
    const time = /^ *Duration: (\d+):(\d+):([\d.]+)/.exec(message);
    if (time) this.duration = Number(time[1]) * 3600 + Number(time[2]) * 60 + Number(time[3]);
    if (/^ *Stream #0:\d/.test(message) && !/attached pic/.test(message)) this.#streams++;
    if (/^ *Stream #0:\d[^ ]*: Audio:/.test(message)) this.#sounds++;
    this.durationIsOfSound = this.#streams === 1 && this.#sounds === 1 && !this.#estimated;
  }

  #complain(text: string): void {
    // A damaged file causes the same error for each of its packets.
    if (this.#complaints.includes(text.trim())) return;
    if (this.#characters < MOST) this.#complaints.push(text.trim());
    this.#characters += text.length;
  }
}
