/** The dialog with the links of a room: to watch it, for OBS, and as subtitles of a stream. */
import { isGuarded, ticketFor } from '../live/access.js';
import { byId } from './elements.js';

export class ShareDialog {
  readonly #dialog = byId<HTMLDialogElement>('share-dialog');

  constructor() {
    for (const button of this.#dialog.querySelectorAll<HTMLButtonElement>('[data-copy]'))
      button.addEventListener('click', () => void this.#copy(button));
  }

  /** Shows the links of a room; with a ticket, where viewers need one. */
  async open(room: string): Promise<void> {
    const ticket = (await isGuarded()) ? await ticketFor(room) : undefined;
    const link = (path: string) => {
      const address = new URL(path, location.href);
      if (ticket !== undefined) address.searchParams.set('ticket', ticket);
      return address.href;
    };
    byId<HTMLInputElement>('share-page').value = link(`/rooms/${room}`);
    byId<HTMLInputElement>('share-overlay').value = link(`/rooms/${room}/overlay`);
    byId<HTMLInputElement>('share-hls').value = link(`/rooms/${room}/live.m3u8`);
    byId('share-note').hidden = ticket === undefined;
    this.#dialog.showModal();
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    const field = byId<HTMLInputElement>(button.dataset.copy as string);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 1500);
    } catch {
      // The link is selected: the keyboard copies it.
    }
  }
}
