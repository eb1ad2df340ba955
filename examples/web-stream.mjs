/**
 * A web stream, such as the body of a fetch, to text.
 *
 *     node examples/web-stream.mjs https://example.com/talk.wav
 */
import { transcribe, txtWriter } from 'parakeet-stream';

const [address] = process.argv.slice(2);
if (address === undefined) throw new Error('Usage: node examples/web-stream.mjs ADDRESS');

const response = await fetch(address);
if (!response.ok || !response.body) throw new Error(`${address}: ${response.status} ${response.statusText}`);
await transcribe(response.body, { sink: txtWriter(process.stdout) });
