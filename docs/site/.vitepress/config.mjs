/**
 * The site: search, the order of the pages, links. `SITE_BASE` is the path below which it will be served (`/` by default), `SITE_REPOSITORY`
 * the address of the repository, which a release knows; without it no page names one.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitepress';
import { allPages, guidesInOrder, titleOf } from '../pages.mjs';

const pages = path.join(import.meta.dirname, '..', '.pages');
const repository = process.env.SITE_REPOSITORY;
const link = (page) => `/${page.replace(/\.md$/, '')}`;

const guides = guidesInOrder();
const project = [...allPages()].filter(([file]) => file !== 'README.md' && !guides.includes(file));
const entry = ([file, page]) => ({ text: titleOf(file), link: link(page) });
const byTitle = (a, b) => a.text.localeCompare(b.text, 'en');

/** The kinds of names of an entry point, as TypeDoc has laid them into folders. */
function api(folder) {
  const kinds = Object.entries({
    functions: 'Functions',
    classes: 'Classes',
    interfaces: 'Interfaces',
    'type-aliases': 'Types',
    variables: 'Values',
  });
  return kinds
    .filter(([kind]) => existsSync(path.join(pages, folder, kind)))
    .map(([kind, text]) => ({
      text,
      collapsed: true,
      items: readdirSync(path.join(pages, folder, kind))
        .map((name) => ({ text: path.basename(name, '.md'), link: link(`${folder}/${kind}/${name}`) }))
        .sort(byTitle),
    }));
}

export default defineConfig({
  title: 'parakeet-stream',
  description: 'Speech to text as Node streams',
  srcDir: '.pages',
  base: process.env.SITE_BASE ?? '/',
  cleanUrls: true,
  markdown: {
    // GitHub's way of making anchors, so that a link is right in a checkout and here.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\- _]/gu, '')
          .replaceAll(' ', '-'),
    },
  },
  // The search index is one chunk, loaded with the first search.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/streams' },
      { text: 'API', link: '/api/' },
      { text: 'Measured', link: '/measured' },
    ],
    socialLinks: repository ? [{ icon: 'github', link: repository }] : [],
    sidebar: {
      '/api/': [
        { text: 'parakeet-stream', link: '/api/parakeet-stream/', items: api('api/parakeet-stream') },
        {
          text: 'parakeet-stream/stages',
          link: '/api/parakeet-stream/stages/',
          items: api('api/parakeet-stream/stages'),
        },
      ],
      '/': [
        { text: 'Guides', items: guides.map((file) => entry([file, allPages().get(file)])) },
        {
          text: 'Examples',
          collapsed: true,
          items: project
            .filter(([file]) => file.startsWith('examples/'))
            .map(entry)
            .sort(byTitle),
        },
        {
          text: 'Project',
          collapsed: true,
          items: project
            .filter(([file]) => !file.startsWith('examples/'))
            .map(entry)
            .sort(byTitle),
        },
      ],
    },
  },
});
