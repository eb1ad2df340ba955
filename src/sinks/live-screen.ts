/**
 * Rows at the bottom of a terminal that are redrawn in place, and settled ones that scroll away above them. Turns what should be shown into
 * one string of text and commands; writing it, and what the rows mean, is up to caption-writer.ts.
 */

/** A terminal's size. */
export interface Size {
  columns: number;
  rows: number;
}

/** One line of text before it is broken into rows. */
export interface Block {
  /** Its rows at a given width, with the commands for their style; and how many columns each takes. */
  layout(columns: number): ScreenRow[];
}

/** A row as it is on the screen. */
export interface ScreenRow {
  text: string;
  width: number;
}

/**
 * Terminals that know this mode hold back the picture until it is complete; the others ignore it, as they ignore every private mode that
 * they don't know.
 */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
const ERASE_RIGHT = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const up = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : '');

/** More rows than any terminal shows: what is above cannot be redrawn anyway. */
const KEPT_ROWS = 500;

export class LiveScreen {
  /** Settled blocks with the rows that each has on the screen, oldest first. */
  #settled: { block: Block; rows: ScreenRow[] }[] = [];
  #settledRows = 0;
  #live: ScreenRow[] = [];

  constructor(private size: Size) {}

  /** How many live rows fit: the last row of the terminal is the cursor's. */
  get room(): number {
    return Math.max(1, this.size.rows - 1);
  }

  /** What to write so that `settled` is above and `live` below. Only changed rows are written; empty when there are none. */
  paint(settled: readonly Block[], live: readonly Block[]): string {
    const liveRows = this.#layoutLive(live);
    const rows = [...settled.flatMap((block) => this.#settle(block)), ...liveRows];
    const old = this.#live;
    this.#live = liveRows;
    let same = 0;
    while (same < old.length && same < rows.length && old[same]?.text === rows[same]?.text) same++;
    if (same === old.length && same === rows.length) return '';
    let text = up(old.length - same);
    for (const [index, row] of rows.entries()) {
      if (index < same) continue;
      text += row.text === old[index]?.text ? '\r\n' : `${row.text}${ERASE_RIGHT}\r\n`;
    }
    if (rows.length < old.length) text += ERASE_BELOW;
    return BEGIN + text + END;
  }

  /**
   * What to write after the terminal was resized: all that is visible is broken into rows again. Terminals reflow rows that no longer fit;
   * the cursor is in an empty row below them, which is not reflowed.
   */
  resize(size: Size, live: readonly Block[]): string {
    this.size = size;
    const reflowed = (rows: readonly ScreenRow[]): number =>
      rows.reduce((sum, { width }) => sum + Math.max(1, Math.ceil(width / size.columns)), 0);
    const limit = size.rows - 1;
    let height = reflowed(this.#live);
    let from = this.#settled.length;
    while (from > 0 && height < limit) {
      from--;
      height += reflowed(this.#settled[from]?.rows ?? []);
    }
    const visible = this.#settled.splice(from).map(({ block, rows }) => {
      this.#settledRows -= rows.length;
      return block;
    });
    this.#live = [];
    const erase = `${up(Math.min(height, limit))}\r${ERASE_BELOW}`;
    const painted = this.paint(visible, live);
    return painted === '' ? erase : BEGIN + erase + painted.slice(BEGIN.length);
  }

  /** A block taller than the screen could not be redrawn: its beginning is left out. */
  #layoutLive(live: readonly Block[]): ScreenRow[] {
    const rows = live.flatMap((block) => block.layout(this.#columns));
    if (rows.length <= this.room) return rows;
    return [{ text: '…', width: 1 }, ...rows.slice(rows.length - this.room + 1)].slice(-this.room);
  }

  #settle(block: Block): ScreenRow[] {
    const rows = block.layout(this.#columns);
    this.#settled.push({ block, rows });
    this.#settledRows += rows.length;
    while (this.#settledRows > KEPT_ROWS && this.#settled.length > 1) {
      this.#settledRows -= this.#settled.shift()?.rows.length ?? 0;
    }
    return rows;
  }

  /** The last column stays free: terminals differ in what they do after a character there. */
  get #columns(): number {
    return Math.max(1, this.size.columns - 1);
  }
}
