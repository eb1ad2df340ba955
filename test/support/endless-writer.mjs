// Writes sentences to a file until it is killed, or fails: `node endless-writer.mjs <format> <path>`. Says "go" after the first ones.
import { jsonlWriter, jsonWriter, srtWriter, txtWriter, vttWriter } from '../../dist/sinks/index.js';

const [format, path] = process.argv.slice(2);
const sink = { json: jsonWriter, jsonl: jsonlWriter, srt: srtWriter, txt: txtWriter, vtt: vttWriter }[format](
  path,
);
sink.on('error', () => {});
const token = (text, start) => ({ id: 1, text, start, end: start + 0.5, duration: 0.5, confidence: 0.9 });
for (let i = 0; ; i++) {
  const tokens = [token(' Sentence', i), token(` number ${i}.`, i + 0.5)];
  const sentence = {
    text: `Sentence number ${i}.`,
    start: i,
    end: i + 1,
    duration: 1,
    confidence: 0.9,
    tokens,
    words: [],
  };
  await new Promise((resolve, reject) =>
    sink.write({ type: 'sentence', sentence }, (error) => (error ? reject(error) : resolve())),
  );
  if (i === 3) process.stdout.write('go\n');
}
