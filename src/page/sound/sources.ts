/** Where sound comes from: a microphone, a tab or screen that is shared, or a file that plays. What is done with it is capture.ts's concern. */

/** A source that is open. */
export interface Sound {
  /** Connects it to a context. */
  connect(context: AudioContext): AudioNode;
  /** Called when it is over by itself: the file has played, the device is gone, the user has stopped sharing. */
  onEnd(callback: () => void): void;
  /** Plays, if it is a file. */
  start(): Promise<void>;
  close(): void;
}

export type SourceKind = 'microphone' | 'tab' | 'file';

/** Processing that makes calls pleasant takes words away from recognition. */
const SPEECH: MediaTrackConstraints = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: true,
};

/** Opens a microphone, the system's default for an empty id. */
export async function microphone(deviceId: string): Promise<Sound> {
  const audio = deviceId === '' ? SPEECH : { ...SPEECH, deviceId: { exact: deviceId } };
  return ofStream(await navigator.mediaDevices.getUserMedia({ audio }));
}

/** Asks for a tab, window or screen to share, and takes its sound. */
export async function tab(): Promise<Sound> {
  // Browsers share no sound without a picture.
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true });
  for (const track of stream.getVideoTracks()) track.stop();
  if (stream.getAudioTracks().length === 0)
    throw new Error('No sound was shared. Choose a tab, and switch on “Also share tab audio”.');
  return ofStream(new MediaStream(stream.getAudioTracks()));
}

/** Plays a file, audibly. */
export function file(sound: File): Sound {
  const player = new Audio();
  const address = URL.createObjectURL(sound);
  player.src = address;
  return {
    connect(context) {
      const node = context.createMediaElementSource(player);
      node.connect(context.destination);
      return node;
    },
    onEnd(callback) {
      player.addEventListener('ended', callback, { once: true });
      player.addEventListener('error', callback, { once: true });
    },
    start: () => player.play(),
    close() {
      player.pause();
      player.removeAttribute('src');
      URL.revokeObjectURL(address);
    },
  };
}

/** The microphones, by id and name. Names are there once one has been allowed. */
export async function microphones(): Promise<{ id: string; name: string }[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '' && deviceId !== 'default')
    .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Microphone ${i + 1}` }));
}

function ofStream(stream: MediaStream): Sound {
  const [track] = stream.getAudioTracks();
  return {
    connect: (context) => context.createMediaStreamSource(stream),
    onEnd: (callback) => track?.addEventListener('ended', callback, { once: true }),
    start: async () => {},
    close: () => {
      for (const one of stream.getTracks()) one.stop();
    },
  };
}
