// Records from the default microphone for so many seconds and prints what was said.
import { loadModel, mic, transcribe } from 'parakeet-stream';

const model = await loadModel();
const microphone = mic();
setTimeout(() => microphone.stop(), Number(process.argv[2]) * 1000);
const { text } = await transcribe(microphone, null, { model });
console.log(text);
await model.close();
