/** `/rooms/:room` and its overlay: captions that somebody else publishes. */
import type { RoomDraft, RoomSentence, RoomState } from '../server/rooms/room-events.js';

/** What is done with the events of a room. */
export interface RoomFollower {
  onSentence(sentence: RoomSentence): void;
  /** The open sentences of all speakers. */
  onDrafts(drafts: readonly RoomDraft[]): void;
  /** Undefined: the connection is lost, and comes back by itself. */
  onState(state: RoomState | undefined): void;
}

/** The room in the page's address, and the query that lets viewers in. */
export function roomOfPage(): { room: string; query: string } {
  const [, room = ''] = /\/rooms\/([\w-]+)/.exec(location.pathname) ?? [];
  const ticket = new URLSearchParams(location.search).get('ticket');
  return { room, query: ticket === null ? '' : `?${new URLSearchParams({ ticket })}` };
}

/** Follows a room for as long as the page is open. The browser comes back with the id of the last sentence when the connection breaks. */
export function follow({ onSentence, onDrafts, onState }: RoomFollower): void {
  const { room, query } = roomOfPage();
  const drafts = new Map<string, RoomDraft>();
  const source = new EventSource(`/rooms/${room}/events${query}`);
  const on = <T>(type: string, take: (data: T) => void) =>
    source.addEventListener(type, (event) => take(JSON.parse((event as MessageEvent<string>).data)));
  on<RoomSentence>('sentence', (sentence) => {
    drafts.delete(sentence.speaker ?? '');
    onSentence(sentence);
    onDrafts([...drafts.values()]);
  });
  on<RoomDraft>('draft', (draft) => {
    drafts.set(draft.speaker ?? '', draft);
    onDrafts([...drafts.values()].filter(({ final, tentative }) => final !== '' || tentative !== ''));
  });
  on<RoomState>('state', onState);
  source.addEventListener('error', () => onState(undefined));
}
