/**
 * The site's pages, made from the documents of the repository: the README, the guides, and every document or source file that a link of
 * theirs leads to. The documents stay as they are, readable in a checkout; only links and pictures are turned here. No word of VitePress.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const { posix } = path;
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file) => readFileSync(path.join(root, file), 'utf8');

const PICTURE = /\.(?:svg|png)$/;
const SOURCE = /\.m?js$/;
/** A link's or a picture's target; code blocks and code letters come first, so that nothing in them is taken for a link. */
const LINK = /^(?:```|~~~).*?^(?:```|~~~)$|`[^`\n]+`|(?<=\]\()([^)\s]+)(?=\))/gms;

/** The guides in the order of the README's table. A test holds that it has all of them. */
export function guidesInOrder() {
  const [, table = ''] = read('README.md').split(/^## Documentation$/m);
  return [...new Set(linksOf('README.md', table))].filter((file) => /^docs\/[^/]+\.md$/.test(file));
}

/**
 * All pages: from the path of the document to the path of the page.
 *
 * @throws for a link that leads to no file, or to one that can be no page.
 */
export function allPages() {
  const pages = new Map();
  const waiting = ['README.md', ...guidesInOrder()];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (pages.has(file)) continue;
    pages.set(file, pageOf(file));
    if (file.endsWith('.md')) waiting.push(...linksOf(file).filter((target) => !PICTURE.test(target)));
  }
  return pages;
}

/** `docs/streams.md` is `streams.md`, `examples/demo.mjs` is `examples/demo.md`, and a folder's README has the folder's name. */
function pageOf(file) {
  if (file === 'README.md') return 'index.md';
  const name = file
    .replace(/^docs\//, '')
    .replace(/\/README\.md$/, '.md')
    .replace(SOURCE, '.md');
  return (name.endsWith('.md') ? name : `${name}.md`).toLowerCase();
}

/** The files that a document's links lead to. */
function linksOf(file, text = read(file)) {
  const targets = [];
  turned(file, text, (target) => {
    targets.push(target);
    return target;
  });
  return targets;
}

/** The text of a document with its local links replaced by what `turn` makes of their targets. */
function turned(file, text, turn) {
  return text.replace(LINK, (found, link) => {
    if (link === undefined || /^(?:[a-z]+:|#)/.test(link)) return found;
    const [where, anchor] = link.split('#');
    const to = turn(fileAt(posix.join(posix.dirname(file), where), file));
    return anchor === undefined ? to : `${to}#${anchor}`;
  });
}

/** The file that a link means: a folder is its README. */
function fileAt(target, from) {
  const place = target.replace(/\/$/, '');
  const full = path.join(root, place);
  if (!existsSync(full)) throw new Error(`${from} links to ${place}, which is not there`);
  if (!statSync(full).isDirectory()) return place;
  return fileAt(posix.join(place, 'README.md'), from);
}

/** A page's text, with links to pages. */
export function pageText(file, pages = allPages()) {
  if (!file.endsWith('.md')) {
    const language = SOURCE.test(file) ? 'js' : 'text';
    return `# ${file}\n\n\`\`\`${language}\n${read(file).trimEnd()}\n\`\`\`\n`;
  }
  const page = pages.get(file);
  return turned(file, read(file), (target) => {
    const to = PICTURE.test(target) ? target.replace(/^docs\//, '') : pages.get(target);
    const relative = posix.relative(posix.dirname(page), to);
    return relative.startsWith('.') ? relative : `./${relative}`;
  });
}

/** The first heading. */
export function titleOf(file) {
  const [, title = file] = /^# (.*)$/m.exec(pageText(file)) ?? [];
  return title.replaceAll('`', '');
}

/** Writes all pages and their pictures below `folder`. */
export function writePages(folder) {
  const pages = allPages();
  const write = (name, copy) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    copy(path.join(folder, name));
  };
  for (const [file, page] of pages) {
    write(page, (to) => writeFileSync(to, pageText(file, pages)));
    if (!file.endsWith('.md')) continue;
    for (const picture of linksOf(file).filter((target) => PICTURE.test(target)))
      write(picture.replace(/^docs\//, ''), (to) => copyFileSync(path.join(root, picture), to));
  }
}
