/**
 * A terminal without a window: what a sink writes goes through xterm.js, and its screen can be read back. For tests of captions.
 */
import { Writable } from 'node:stream';
import xterm from '@xterm/headless';

export class VirtualTerminal extends Writable {
  readonly isTTY = true;
  /** Every write, as it came. */
  readonly writes: string[] = [];
  readonly #xterm: xterm.Terminal;

  constructor(
    public columns: number,
    public rows = 24,
  ) {
    super({ decodeStrings: false });
    this.#xterm = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  }

  override _write(text: string, _encoding: BufferEncoding, callback: () => void): void {
    this.writes.push(text);
    this.#xterm.write(text, callback);
  }

  /** Another size, as if the user had dragged the window's edge. */
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#xterm.resize(columns, rows);
    this.emit('resize');
  }

  /** The rows on the screen, without what follows the last one; dim characters have a tilde before them. */
  get screen(): string[] {
    return this.#lines(this.#xterm.buffer.active.baseY);
  }

  /** The screen and all that has scrolled away. */
  get everything(): string[] {
    return this.#lines(0);
  }

  /** Row (from the top of the screen) and column of the cursor. */
  get cursor(): [row: number, column: number] {
    const { cursorY, cursorX } = this.#xterm.buffer.active;
    return [cursorY, cursorX];
  }

  #lines(from: number): string[] {
    const buffer = this.#xterm.buffer.active;
    const lines: string[] = [];
    for (let y = from; y < buffer.length; y++) lines.push(this.#line(y));
    while (lines.length > 0 && lines.at(-1) === '') lines.pop();
    return lines;
  }

  #line(y: number): string {
    const line = this.#xterm.buffer.active.getLine(y);
    let text = '';
    for (let x = 0; line && x < line.length; x++) {
      const cell = line.getCell(x);
      // The second half of a wide character has no width.
      if (!cell || cell.getWidth() === 0) continue;
      text += (cell.isDim() && cell.getChars().trim() !== '' ? '~' : '') + (cell.getChars() || ' ');
    }
    return text.trimEnd();
  }
}
