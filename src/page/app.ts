/** The page at `/`: sound from this computer to captions. Its parts meet here. */
import type { ServerMessage } from '../server/protocols/captions/messages.js';
import { captionSocket, setToken, TokenNeeded, ticketFor } from './live/access.js';
import { Connection, type ConnectionState } from './live/connection.js';
import { Capture } from './sound/capture.js';
import { Recording } from './sound/recording.js';
import { file, microphone, microphones, type Sound, type SourceKind, tab } from './sound/sources.js';
import { bindAppearance } from './view/appearance.js';
import { CaptionList } from './view/caption-list.js';
import { download } from './view/download.js';
import { byId } from './view/elements.js';
import { type DownloadFormat, fileOf } from './view/files.js';
import { makeEditable, type SentenceElements } from './view/sentence-editor.js';
import { ShareDialog } from './view/share.js';
import { Status } from './view/status.js';
import { Transcript } from './view/transcript.js';

/** One recording from start to stop. */
interface Session {
  room: string;
  capture: Capture;
  connection: Connection;
  recording: Recording;
  transcript: Transcript;
  elements: SentenceElements[];
  capturing: boolean;
}

const status = new Status();
const captions = new CaptionList();
const share = new ShareDialog();
const toggle = byId<HTMLButtonElement>('toggle');
const level = byId('level-bar');
const phrasesField = byId<HTMLTextAreaElement>('phrases');
let session: Session | undefined;
let room: string | undefined;

/** Enough to be unguessable, without letters that look alike. */
function newRoom(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  return [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => letters[byte % letters.length])
    .join('');
}

const phrases = (): string[] =>
  phrasesField.value
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 100);

async function openSound(): Promise<Sound | undefined> {
  const kind = byId<HTMLSelectElement>('source').value as SourceKind;
  if (kind === 'tab') return tab();
  if (kind === 'microphone') return microphone(byId<HTMLSelectElement>('device').value);
  const [chosen] = byId<HTMLInputElement>('file').files ?? [];
  if (chosen) return file(chosen);
  byId<HTMLInputElement>('file').click();
  return undefined;
}

async function start(): Promise<void> {
  // Whether the server lets us in is known before anything is recorded.
  await ticketFor();
  const sound = await openSound();
  if (!sound) return;
  captions.clear();
  status.reset();
  document.documentElement.dataset.used = '';
  room = newRoom();
  const transcript = new Transcript();
  let current: Session | undefined;
  const early: Int16Array[] = [];
  const capture = await Capture.open(sound, ({ samples, peak }) => {
    showLevel(peak);
    if (current) hear(current, samples);
    else early.push(samples);
  });
  const recording = new Recording(capture.rate);
  const connection = new Connection({
    rate: capture.rate,
    room,
    phrases: phrases(),
    open: captionSocket,
    onState: (state) => onState(state),
    onMessage: (message) => current && onMessage(current, message),
    onLost: (seconds) => status.lost(seconds),
  });
  current = { room, capture, connection, recording, transcript, elements: [], capturing: true };
  session = current;
  for (const samples of early) hear(current, samples);
  sound.onEnd(() => void stop());
  await sound.start();
  showRunning(true);
  await listDevices();
}

function hear({ capturing, recording, connection }: Session, samples: Int16Array): void {
  if (!capturing) return;
  recording.add(samples);
  connection.push(samples);
  status.tick(connection.seconds, connection.waiting);
}

async function stop(): Promise<void> {
  if (!session?.capturing) return;
  session.capturing = false;
  showLevel(0);
  showRunning(false);
  await session.capture.close();
  session.connection.finish();
}

function onMessage({ connection, transcript, elements }: Session, message: ServerMessage): void {
  switch (message.type) {
    case 'sentence':
      transcript.add(message.sentence);
      elements.push(captions.add(message.sentence));
      captions.showDrafts([]);
      break;
    case 'draft':
      captions.showDrafts([message]);
      break;
    case 'progress':
      status.delay(connection.seconds - message.time);
      break;
    case 'ignored':
      status.say(`The model cannot spell: ${message.phrases.join(', ')}`);
      break;
    default:
  }
}

function onState(state: ConnectionState): void {
  status.show(state);
  if (state.name !== 'ended' && state.name !== 'failed') return;
  captions.showDrafts([]);
  void stop();
  if (!session) return;
  makeEditable(session.elements, session.transcript, session.recording);
  if (state.name === 'ended' && session.elements.length > 0)
    status.say('Ended. Click a time to hear the sentence, and its text to correct it.');
}

function showLevel(peak: number): void {
  // A logarithmic scale over 60 dB, as meters have.
  const share = peak <= 0.001 ? 0 : 1 + Math.log10(peak) / 3;
  level.style.transform = `scaleX(${share.toFixed(3)})`;
}

function showRunning(running: boolean): void {
  byId('toggle-label').textContent = running ? 'Stop' : 'Start';
  toggle.setAttribute('aria-pressed', String(running));
  for (const id of ['source', 'device']) byId<HTMLSelectElement>(id).disabled = running;
  byId<HTMLButtonElement>('share').disabled = room === undefined;
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-format]')) button.disabled = false;
}

async function listDevices(): Promise<void> {
  const select = byId<HTMLSelectElement>('device');
  const chosen = select.value;
  const found = await microphones();
  select.replaceChildren(
    new Option('Default microphone', ''),
    ...found.map(({ id, name }) => new Option(name, id, false, id === chosen)),
  );
}

function showSource(): void {
  document.documentElement.dataset.source = byId<HTMLSelectElement>('source').value;
}

/** Runs what a button asks for, and says why it could not be done. */
function act(action: () => Promise<void>): void {
  toggle.disabled = true;
  action()
    .catch((error: unknown) => {
      if (error instanceof TokenNeeded) byId<HTMLDialogElement>('token-dialog').showModal();
      else status.say(reasonOf(error));
    })
    .finally(() => {
      toggle.disabled = false;
    });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof DOMException)) return error instanceof Error ? error.message : String(error);
  if (error.name === 'NotAllowedError')
    return 'The browser does not allow this. Permit it beside the address, and start again.';
  if (error.name === 'NotFoundError') return 'There is no microphone.';
  return error.message;
}

toggle.addEventListener('click', () => act(session?.capturing ? stop : start));
byId('source').addEventListener('change', showSource);
byId<HTMLInputElement>('file').addEventListener('change', () => {
  if (!session?.capturing) act(start);
});
byId('share').addEventListener('click', () =>
  act(async () => {
    if (room !== undefined) await share.open(room);
  }),
);
byId('phrases-button').addEventListener('click', () => byId<HTMLDialogElement>('phrases-dialog').showModal());
byId('phrases-dialog').addEventListener('close', () => session?.connection.setPhrases(phrases()));
byId('token-dialog').addEventListener('close', () => {
  const field = byId<HTMLInputElement>('token');
  if (field.value === '') return;
  setToken(field.value.trim());
  field.value = '';
  act(start);
});
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-format]'))
  button.addEventListener('click', () => {
    const format = button.dataset.format as DownloadFormat;
    download(`captions.${format}`, fileOf(session?.transcript.sentences ?? [], format));
  });
navigator.mediaDevices?.addEventListener('devicechange', () => void listDevices());
bindAppearance();
showSource();
if (navigator.mediaDevices) void listDevices();
else status.say('This page needs https, or localhost, to use a microphone.');
