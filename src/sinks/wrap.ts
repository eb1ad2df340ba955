/**
 * Text into rows of a terminal: words stay whole where they fit, and wide characters count as two columns. It knows how wide a text is and
 * where it may break, and nothing of how rows get onto a screen.
 *
 * Not `wrap-ansi` (10.0): it breaks at spaces only, so that a run of Chinese moves to the next row as a whole and leaves the rest of this
 * one empty ("Hello, 世界世界世界。"). And it returns text, not positions: captions need to know where in a row the draft begins, cues when the
 * piece of a long word is spoken.
 */
import stringWidth from 'string-width';

/** Width of a text on a terminal, in columns. */
export const widthOf = (text: string): number => stringWidth(text);

/** The part of a text that is in one row: `text.slice(start, end)`. */
export interface Row {
  start: number;
  end: number;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Breaks `text` into rows of at most `columns` columns: at spaces (which are dropped there), beside wide characters, and inside a word only
 * if it is longer than a row. An empty text has one empty row.
 */
export function wrap(text: string, columns: number): Row[] {
  const rows: Row[] = [];
  let start = 0;
  let width = 0;
  /** Where the row may end, where the next one would begin, and the width up to there. */
  let rest: { end: number; next: number; width: number } | undefined;
  let wideBefore = false;
  for (const { segment, index } of graphemes.segment(text)) {
    const size = widthOf(segment);
    const space = segment === ' ';
    const wide = size > 1;
    if (space) {
      if (index === start && rows.length > 0) {
        start = index + 1;
        continue;
      }
      rest = { end: index, next: index + 1, width: width + 1 };
    } else if ((wide || wideBefore) && index > start && rest?.next !== index) {
      rest = { end: index, next: index, width };
    }
    wideBefore = wide;
    if (width + size > columns && index > start) {
      const cut = rest ?? { end: index, next: index, width };
      rows.push({ start, end: cut.end });
      start = cut.next;
      width = Math.max(0, width - cut.width);
      rest = undefined;
      if (space) continue;
    }
    width += size;
  }
  rows.push({ start, end: text.length });
  return rows;
}
