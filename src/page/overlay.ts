/** The overlay of a room: the last words, large, on a transparent ground, for OBS and projectors. `?lines=1` to `4` says how many sentences. */
import { byId, make } from './view/elements.js';
import { follow } from './viewer.js';

const area = byId('overlay');
const lines = Math.min(4, Math.max(1, Number(new URLSearchParams(location.search).get('lines')) || 2));
const sentences: string[] = [];
let drafts: { final: string; tentative: string }[] = [];
/** Milliseconds after which words disappear when nobody goes on. */
const SHOWN = 8000;
let clearing = 0;

function show(): void {
  const kept = sentences.slice(-Math.max(1, lines - drafts.length));
  area.replaceChildren(
    ...(drafts.length >= lines ? [] : kept).map((text) => lineOf(text)),
    ...drafts.map(({ final, tentative }) => lineOf(final.trimStart(), make('span', 'tentative', tentative))),
  );
  window.clearTimeout(clearing);
  clearing = window.setTimeout(() => area.replaceChildren(), SHOWN);
}

function lineOf(...parts: (string | Node)[]): HTMLElement {
  const words = make('span', 'words');
  words.append(...parts);
  const line = make('p', 'line');
  line.append(words);
  return line;
}

follow({
  onSentence: ({ text, speaker }) => {
    sentences.push(speaker === undefined ? text : `${speaker}: ${text}`);
    sentences.splice(0, sentences.length - 4);
    show();
  },
  onDrafts: (open) => {
    drafts = open.map(({ final, tentative }) => ({ final, tentative }));
    if (open.length > 0) show();
  },
  onState: () => {},
});
