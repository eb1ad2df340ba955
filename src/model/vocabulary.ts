/**
 * From vocabulary pieces to text, token by token, as text is appended to a transcript. It knows SentencePiece's conventions, and nothing of
 * models or of time.
 */

/** Pieces without text: of SentencePiece, prompts, the ends of utterances, and the languages that multilingual models name. */
const CONTROL = /^(?:<unk>|<pad>|<s>|<\/s>|<\|[^|>]*\|>|<EOU>|<EOB>|<[a-z]{2,3}-[A-Z]{2}>)$/;
const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;
const SPACE_BEFORE_PUNCTUATION = /^ +(?=[.,!?;:…。，、！？；：])/u;

/** How many bytes a UTF-8 sequence with this first byte has; 1 for a byte that cannot be first. */
function sequenceLength(first: number): number {
  if (first >= 0xf0 && first <= 0xf4) return 4;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xc2 && first < 0xe0) return 2;
  return 1;
}

/**
 * Turns token ids into the text that each adds to the transcript: `▁` is a space, there is no space before punctuation, control tokens have
 * no text, byte pieces are combined to characters. What a token cannot decide alone is held for the next one: a lone space (a full stop may
 * follow) and the first bytes of a character.
 *
 * Concatenating the texts gives the transcript; it may begin with a space.
 */
export class Detokenizer {
  #space = false;
  #bytes: number[] = [];

  /** `pieces`: the vocabulary; ids outside it (the blank) have no text. */
  constructor(private readonly pieces: readonly string[]) {}

  /** The text that token `id` adds. */
  push(id: number): string {
    const piece = this.pieces[id];
    if (piece === undefined || CONTROL.test(piece)) return '';
    const byte = BYTE.exec(piece);
    if (byte) return this.#pushByte(Number.parseInt(byte[1] as string, 16));
    return this.#append(this.#flushBytes() + piece.replaceAll('▁', ' '));
  }

  /** What is still held at the end: an incomplete character, as U+FFFD. */
  finish(): string {
    const rest = this.#flushBytes();
    return rest === '' ? '' : this.#append(rest);
  }

  /** A detokeniser in the same state, for drafts. */
  clone(): Detokenizer {
    const copy = new Detokenizer(this.pieces);
    copy.#space = this.#space;
    copy.#bytes = [...this.#bytes];
    return copy;
  }

  /** What is held, so that another detokeniser can continue. */
  get state(): { space: boolean; bytes: number[] } {
    return { space: this.#space, bytes: [...this.#bytes] };
  }

  set state({ space, bytes }: { space: boolean; bytes: readonly number[] }) {
    this.#space = space;
    this.#bytes = [...bytes];
  }

  #pushByte(byte: number): string {
    const continues = byte >= 0x80 && byte < 0xc0;
    const broken = continues ? '' : this.#flushBytes();
    this.#bytes.push(byte);
    const complete = this.#bytes.length >= sequenceLength(this.#bytes[0] as number);
    const text = broken + (complete ? this.#flushBytes() : '');
    return text === '' ? '' : this.#append(text);
  }

  #flushBytes(): string {
    if (this.#bytes.length === 0) return '';
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(this.#bytes));
    this.#bytes = [];
    return text;
  }

  #append(piece: string): string {
    let text = piece;
    if (this.#space && !text.startsWith(' ')) text = ` ${text}`;
    this.#space = /^ *$/.test(text);
    if (this.#space) return '';
    return text.replace(SPACE_BEFORE_PUNCTUATION, '');
  }
}
