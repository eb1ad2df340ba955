/** What the search of a built site finds: VitePress's index is a module beside the pages. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Pages without a heading that can be found. @param {Iterable<string>} pages their paths, as `streams.md` */
export async function pagesOutOfSearch(folder, pages, base = '/') {
  const chunks = path.join(folder, 'assets', 'chunks');
  const index = readdirSync(chunks).find((name) => /^@localSearchIndexroot\..*\.js$/.test(name));
  if (index === undefined) return [...pages];
  const { default: text } = await import(pathToFileURL(path.join(chunks, index)).href);
  const places = Object.values(JSON.parse(text).documentIds);
  const found = new Set(places.map((place) => place.slice(base.length).split('#')[0]));
  return [...pages].filter((page) => !found.has(page.replace(/(?:index)?\.md$/, '')));
}
