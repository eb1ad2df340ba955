/**
 * The README's moving picture, docs/pictures/live.svg, from a recorded session of `parakeet live`, docs/pictures/live.jsonl: its events go through
 * the command's sinks to a terminal without a window, and each screen stands for as long as it stood then. The same session gives the same picture.
 *
 *     npm run picture [-- --check | --record]
 *
 * `--record` makes the session again first: three recordings of test/audio into the command, as if they were spoken now.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { captionWriter, srtWriter } from 'parakeet-stream';
import { joined } from '../bench/joined.mjs';
import { readSamples } from '../bench/recordings.mjs';
import { terminalFilm } from './terminal-film.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const session = path.join(root, 'docs', 'pictures', 'live.jsonl');
const picture = path.join(root, 'docs', 'pictures', 'live.svg');

const RECORDINGS = ['bf_emma_06', 'sense_and_sensibility_01_austen_64kb-0920', 'am_michael_05'];
const COMMAND = ['live'];
const SAMPLE_RATE = 16_000;
const PIECE_SECONDS = 0.1;
/** Before the speaker begins: what is spoken while the model loads would come as one piece. */
const LOADING_SECONDS = 4;

const COLUMNS = 78;
const ROWS = 17;
/** Screens closer together than this are one: no eye tells them apart. */
const FRAME_SECONDS = 0.04;
const PROMPT_SECONDS = 0.8;
const LAST_SECONDS = 6;

/** A terminal that is read back as runs of characters. */
class Terminal extends Writable {
  isTTY = true;
  columns = COLUMNS;
  rows = ROWS;
  #xterm = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true, convertEol: true });

  constructor() {
    super({ decodeStrings: false });
  }

  _write(text, _encoding, callback) {
    this.#xterm.write(text, callback);
  }

  /** Text that no sink writes: those end the stream with their own. */
  print(text) {
    this.#xterm.write(text);
  }

  /** What it shows once everything that was painted is on it. */
  async screen() {
    // Sinks paint in the next turns of the event loop.
    for (let turns = 0; turns < 10; turns++) await turn();
    await new Promise((resolve) => this.#xterm.write('', resolve));
    const { active } = this.#xterm.buffer;
    return Array.from({ length: ROWS }, (_, y) => this.#runs(active.getLine(active.baseY + y)));
  }

  #runs(row) {
    const runs = [];
    const end = row.translateToString(true).length;
    for (let x = 0; x < end; x++) {
      const cell = row.getCell(x);
      const kind = { dim: Boolean(cell.isDim()), bold: Boolean(cell.isBold()) };
      const open = runs.at(-1);
      const text = cell.getChars() || ' ';
      if (open && open.dim === kind.dim && open.bold === kind.bold) open.text += text;
      else runs.push({ text, ...kind });
    }
    return runs;
  }
}

/** The picture of a session, as text. */
export async function pictureOf(file) {
  const { TERM } = process.env;
  // Captions ask whether the terminal understands commands; this one does, whatever the program itself runs in.
  process.env.TERM = 'xterm';
  try {
    return terminalFilm(...(await screensOf(file)));
  } finally {
    if (TERM === undefined) delete process.env.TERM;
    else process.env.TERM = TERM;
  }
}

/** What stood on the terminal and when, and the size of it all. */
async function screensOf(file) {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map(JSON.parse);
  const events = lines.filter(({ type }) => type === 'event');
  const began = lines.find(({ type }) => type === 'push').at;
  const terminal = new Terminal();
  const screens = [];
  const show = async (at) => {
    const rows = await terminal.screen();
    if (screens.length > 0 && at - screens.at(-1).at < FRAME_SECONDS) screens.pop();
    const before = JSON.stringify(screens.at(-1)?.rows);
    if (JSON.stringify(rows) !== before) screens.push({ at, rows });
  };

  terminal.print(prompt(`… | npx parakeet ${COMMAND.join(' ')} -o talk.srt`));
  await show(0);

  const scratch = mkdtempSync(path.join(os.tmpdir(), 'parakeet-picture-'));
  const subtitles = path.join(scratch, 'talk.srt');
  let clock = 0;
  try {
    const sinks = [captionWriter(terminal), srtWriter(subtitles)];
    for (const { at, event } of events) {
      clock = PROMPT_SECONDS + at - began;
      for (const sink of sinks) await new Promise((resolve) => sink.write(event, resolve));
      await show(clock);
    }
    for (const sink of sinks) await new Promise((resolve) => sink.once('close', resolve).end());
    await show(clock + FRAME_SECONDS);
    terminal.print(`\n${prompt('head -9 talk.srt')}`);
    await show(clock + 1);
    terminal.print(readFileSync(subtitles, 'utf8').split('\n').slice(0, 9).join('\n'));
    await show(clock + 1.8);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const seconds = Math.ceil(clock + 1.8 + LAST_SECONDS);
  return [screens, { columns: COLUMNS, rows: ROWS, title: 'parakeet live', seconds }];
}

/** A line that somebody has typed, bold. */
function prompt(command) {
  return `\u001b[1m$ ${command}\u001b[22m\n`;
}

/** Runs the command on sound in real time. */
async function record() {
  rmSync(session, { force: true });
  const files = RECORDINGS.map((name) => path.join(root, 'test', 'audio', `${name}.flac`));
  const speech = joined(await Promise.all(files.map((file) => readSamples(file, SAMPLE_RATE))));
  const program = path.join(root, 'dist', 'cli', 'main.js');
  const format = ['--format', 'f32le', '--rate', String(SAMPLE_RATE)];
  const child = spawn(process.execPath, [program, ...COMMAND, ...format, '--record', session], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const piece = PIECE_SECONDS * SAMPLE_RATE;
  await sleep(1000 * LOADING_SECONDS);
  const began = performance.now();
  for (let at = 0; at < speech.length; at += piece) {
    await sleep(Math.max(0, began + (1000 * (at + piece)) / SAMPLE_RATE - performance.now()));
    const part = speech.subarray(at, at + piece);
    child.stdin.write(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  }
  child.stdin.end();
  const code = await ended;
  if (code !== 0) throw new Error(`parakeet live ended with ${code}`);
  // The picture needs the events only, and the sound is in test/audio.
  rmSync(session.replace(/\.jsonl$/, '.audio'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--record')) await record();
  const svg = await pictureOf(session);
  if (!process.argv.includes('--check')) writeFileSync(picture, svg);
  else if (readFileSync(picture, 'utf8') !== svg) {
    process.stderr.write('docs/pictures/live.svg is not what its session gives: npm run picture\n');
    process.exitCode = 1;
  }
}
