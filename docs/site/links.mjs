/** Broken links of a built site: every `href` and `src` that leads to no file of it, or to no element with that `id`. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** @returns {string[]} a line for each, `page → link` */
export function brokenLinks(folder, base = '/') {
  const pages = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.html'))
    .map((name) => name.split(path.sep).join('/'));
  const ids = new Map(pages.map((page) => [page, idsOf(readFileSync(path.join(folder, page), 'utf8'))]));
  return pages.flatMap((page) => {
    const html = withoutScripts(readFileSync(path.join(folder, page), 'utf8'));
    const links = [...html.matchAll(/\s(?:href|src)="([^"]+)"/g)].map(([, link]) => plain(link));
    return [...new Set(links)]
      .filter((link) => !/^(?:[a-z]+:|\/\/)/.test(link) && !leads(link, page))
      .map((link) => `${page} → ${link}`);
  });

  function leads(link, page) {
    const { pathname, hash } = new URL(link, `http://site${base}${page}`);
    if (!pathname.startsWith(base)) return false;
    const target = fileOf(decodeURIComponent(pathname.slice(base.length)));
    if (target === undefined) return false;
    const id = decodeURIComponent(hash.slice(1));
    return id === '' || !ids.has(target) || ids.get(target).has(id);
  }

  /** The file that a server gives for a path: with `cleanUrls` the ending is left out. */
  function fileOf(name) {
    const candidates = name === '' || name.endsWith('/') ? [`${name}index.html`] : [name, `${name}.html`];
    return candidates.find((file) => {
      const full = path.join(folder, file);
      return existsSync(full) && statSync(full).isFile();
    });
  }
}

function idsOf(html) {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => plain(id)));
}

function withoutScripts(html) {
  return html.replaceAll(/<script\b[^>]*>.*?<\/script>/gs, '');
}

/** Attribute values as they are meant. */
function plain(value) {
  return value
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
