/**
 * Captions on the screen: final sentences, which screen readers announce, and the open sentence, dim, which they do not. Follows the newest line until the
 * reader scrolls away from it.
 */
import type { RoomDraft, RoomSentence } from '../../server/rooms/room-events.js';
import { byId, clock, make } from './elements.js';

/** Pixels from the end within which the reader counts as being there. */
const NEAR = 80;
/** Most sentences on the screen: older ones are in the downloads. */
const MOST_SHOWN = 1000;

export class CaptionList {
  readonly #list = byId<HTMLOListElement>('captions');
  readonly #draft = byId('draft');
  readonly #scroller = byId('stage');
  readonly #newest = byId<HTMLButtonElement>('newest');
  #follows = true;

  constructor() {
    this.#scroller.addEventListener('scroll', () => this.#noteScroll(), { passive: true });
    this.#newest.addEventListener('click', () => {
      this.#follows = true;
      this.#scroll();
    });
    new ResizeObserver(() => this.#scroll()).observe(this.#list);
  }

  /** Adds a final sentence; gives the elements of its time and of its text. */
  add({ start, text, speaker }: RoomSentence): { item: HTMLLIElement; time: HTMLElement; text: HTMLElement } {
    const item = make('li', 'caption');
    const time = make('button', 'time', clock(start));
    time.type = 'button';
    time.disabled = true;
    const body = make('p', 'text', text);
    if (speaker !== undefined) item.append(make('span', 'speaker', speaker));
    item.append(time, body);
    this.#list.append(item);
    if (this.#list.childElementCount > MOST_SHOWN) this.#list.firstElementChild?.remove();
    this.#scroll();
    return { item, time, text: body };
  }

  /** Shows the open sentences. */
  showDrafts(drafts: readonly RoomDraft[]): void {
    this.#draft.replaceChildren(
      ...drafts.map(({ final, tentative, speaker }) => {
        const line = make('p', 'line');
        if (speaker !== undefined) line.append(make('span', 'speaker', speaker));
        line.append(make('span', 'settled', final.trimStart()), make('span', 'tentative', tentative));
        return line;
      }),
    );
    this.#scroll();
  }

  clear(): void {
    this.#list.replaceChildren();
    this.showDrafts([]);
    this.#follows = true;
  }

  #noteScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#follows = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#newest.hidden = this.#follows;
  }

  #scroll(): void {
    if (this.#follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    else this.#newest.hidden = false;
  }
}
