// Writes a second of audio after the other to a WAV file until it is killed, or fails: `node endless-wav.mjs <path>`. Says "go" after
// some of them, and why it failed.
import { wavWriter } from '../../dist/sinks/index.js';

const sink = wavWriter(process.argv[2]);
sink.on('error', ({ code }) => process.stderr.write(code));
const channels = [Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i / 10) / 2)];
for (let i = 0; !sink.errored; i++) {
  await new Promise((resolve) => sink.write({ channels, sampleRate: 8000 }, resolve));
  if (i === 3) process.stdout.write('go\n');
}
