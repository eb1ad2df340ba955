/** The page of a room: its captions, and its transcript as files. */
import { bindAppearance } from './view/appearance.js';
import { CaptionList } from './view/caption-list.js';
import { byId, make } from './view/elements.js';
import { follow, roomOfPage } from './viewer.js';

const captions = new CaptionList();
const { room, query } = roomOfPage();
document.title = `${room} – captions`;
for (const format of ['srt', 'vtt', 'txt', 'json']) {
  const link = make('a', 'tool', format.toUpperCase());
  link.href = `/rooms/${room}.${format}${query}`;
  link.download = `${room}.${format}`;
  link.setAttribute('aria-label', `Download as ${format.toUpperCase()}`);
  byId('downloads').append(link);
}

const show = (name: string, text: string) => {
  document.documentElement.dataset.state = name;
  byId('state').textContent = text;
};

follow({
  onSentence: (sentence) => {
    document.documentElement.dataset.used = '';
    captions.add(sentence);
  },
  onDrafts: (drafts) => {
    if (drafts.length > 0) document.documentElement.dataset.used = '';
    captions.showDrafts(drafts);
  },
  onState: (state) => {
    if (state === undefined) show('lost', 'Connection lost');
    else if (state.live) show('live', 'Live');
    else show('ended', 'Nobody speaks');
  },
});
bindAppearance();
