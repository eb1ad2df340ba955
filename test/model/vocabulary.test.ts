import { describe, expect, test } from 'vitest';
import { Detokenizer } from '../../src/model/vocabulary.js';

const PIECES = [
  '<unk>',
  '▁the',
  'n',
  '▁',
  '.',
  '▁,',
  '<|en|>',
  '</s>',
  '<pad>',
  '<s>',
  '▁A▁b',
  '?',
  '。',
  'x',
];
const BYTES = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
const pieces = [...PIECES, ...BYTES];
const id = (piece: string): number => pieces.indexOf(piece);
const ids = (text: string): number[] => [...Buffer.from(text)].map((byte) => PIECES.length + byte);
const read = (...tokens: number[]): string[] => {
  const detokenizer = new Detokenizer(pieces);
  return [...tokens.map((token) => detokenizer.push(token)), detokenizer.finish()];
};

describe('Detokenizer', () => {
  test('a ▁ is a space', () => {
    expect(read(id('▁the'), id('n'), id('▁A▁b'))).toEqual([' the', 'n', ' A b', '']);
  });

  test('control tokens and unknown ids are silent', () => {
    expect(read(...['<unk>', '<|en|>', '</s>', '<pad>', '<s>'].map(id), pieces.length).join('')).toBe('');
  });

  test('no space before punctuation, within a piece or from the piece before', () => {
    expect(read(id('▁the'), id('▁,')).join('')).toBe(' the,');
    expect(read(id('▁the'), id('▁'), id('.'), id('▁the')).join('')).toBe(' the. the');
    expect(read(id('▁the'), id('▁'), id('。')).join('')).toBe(' the。');
  });

  test('a lone space goes to the next token, once', () => {
    expect(read(id('▁the'), id('▁'), id('x'))).toEqual([' the', '', ' x', '']);
    expect(read(id('▁the'), id('▁'), id('▁'), id('<unk>'), id('▁the')).join('')).toBe(' the the');
  });

  test('byte pieces become characters with their last byte', () => {
    expect(read(...ids('é€😀x'))).toEqual(['', 'é', '', '', '€', '', '', '', '😀', 'x', '']);
    expect(read(id('▁the'), id('▁'), ...ids('é')).join('')).toBe(' the é');
  });

  test('broken byte sequences become U+FFFD and lose no text around them', () => {
    expect(read(ids('é')[0] as number, id('x')).join('')).toBe('\ufffdx');
    expect(read(...ids('€').slice(0, 2)).join('')).toBe('\ufffd');
    expect(read(ids('€')[1] as number, id('x')).join('')).toBe('\ufffdx');
    expect(read(ids('€')[0] as number, ...ids('é')).join('')).toBe('\ufffdé');
  });

  test('a clone goes its own way', () => {
    const settled = new Detokenizer(pieces);
    settled.push(id('▁'));
    settled.push(ids('é')[0] as number);
    const draft = settled.clone();
    expect(draft.push(id('x'))).toBe(' \ufffdx');
    expect(settled.push(ids('é')[1] as number)).toBe(' é');
  });
});
