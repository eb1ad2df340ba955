/** The line that says how things are: state, time and delay, and messages that are announced. */
import type { ConnectionState } from '../live/connection.js';
import { KEPT_SECONDS } from '../live/sound-buffer.js';
import { byId, clock } from './elements.js';

/** Seconds of sound that wait, above which it is said. */
const CATCHING_UP = 3;
/** Milliseconds for which good news is shown. */
const SHOWN = 10_000;

export class Status {
  readonly #pill = byId('state');
  readonly #time = byId('elapsed');
  readonly #delay = byId('delay');
  readonly #message = byId('message');
  #state = 'idle';
  #delays: number[] = [];

  show(state: ConnectionState): void {
    const wasLost = this.#state === 'lost' || this.#state === 'busy';
    this.#state = state.name;
    document.documentElement.dataset.state = state.name;
    this.#pill.textContent = NAMES[state.name];
    if (state.name === 'live' && wasLost) this.#sayFor(SHOWN, 'Connected again. Nothing was lost.');
    if (state.name === 'lost') this.#sayLost(0);
    if (state.name === 'busy')
      this.say(`The server is full. Trying again in ${state.seconds} s; the sound is kept for a minute.`);
    if (state.name === 'failed') this.say(state.message);
  }

  /** A message, which is announced. */
  say(text: string): void {
    if (this.#message.textContent !== text) this.#message.textContent = text;
    this.#message.hidden = text === '';
  }

  /** Sound that could not be kept. */
  lost(seconds: number): void {
    this.say(`Connected again. ${seconds.toFixed(0)} s of sound could not be kept.`);
  }

  /** Time, and how much sound waits to be sent. */
  tick(seconds: number, waiting: number): void {
    this.#time.textContent = clock(seconds);
    if (this.#state === 'lost') this.#sayLost(waiting);
    if (this.#state === 'live' && waiting > CATCHING_UP)
      this.#delay.textContent = `catching up: ${waiting.toFixed(0)} s to go`;
  }

  /** Seconds from a word to its final text, shown as the median of the last ones. */
  delay(seconds: number): void {
    this.#delays = [...this.#delays.slice(-6), seconds];
    const median = this.#delays.toSorted((a, b) => a - b)[this.#delays.length >> 1] as number;
    this.#delay.textContent = `final after ${median.toFixed(1)} s`;
  }

  reset(): void {
    this.#delays = [];
    this.#delay.textContent = '';
    this.#time.textContent = clock(0);
    this.say('');
  }

  /** A message that goes away, unless another one has taken its place. */
  #sayFor(milliseconds: number, text: string): void {
    this.say(text);
    setTimeout(() => {
      if (this.#message.textContent === text) this.say('');
    }, milliseconds);
  }

  #sayLost(waiting: number): void {
    const kept = Math.min(KEPT_SECONDS, Math.floor(waiting / 5) * 5);
    const sound = waiting > KEPT_SECONDS ? 'the last minute of sound is kept' : `${kept} s of sound are kept`;
    this.say(`Connection lost: ${kept === 0 ? 'the sound is kept' : sound}. Trying again …`);
  }
}

const NAMES: Record<ConnectionState['name'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost',
  busy: 'Waiting',
  ended: 'Ended',
  failed: 'Failed',
};
