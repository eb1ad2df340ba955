// Run by a test in a process of its own: fetches a repository into a cache. Arguments: the repository, the cache, and a size of a
// file that takes the room away in the middle ('' for none). Prints the folder, or the error as JSON.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fetchFromHub } from '../../dist/hub/hub.js';

const [repo, cacheDir, filler] = process.argv.slice(2);
let filled = !filler;
try {
  const folder = await fetchFromHub(repo, {
    cacheDir,
    onProgress: ({ file }) => {
      if (filled || file !== 'model.safetensors') return;
      filled = true;
      writeFileSync(path.join(cacheDir, 'filler'), Buffer.alloc(Number(filler)));
    },
  });
  process.stdout.write(`${JSON.stringify({ folder })}\n`);
} catch (error) {
  const { name, code, message, needed } = error;
  process.stdout.write(`${JSON.stringify({ name, code, message, needed })}\n`);
}
