/**
 * The rooms of src/ and what each may import: itself and the rooms below it (ARCHITECTURE.md). Types count as well.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readDocument, root } from './support/documents.js';

/** From the ground up. A name with an ending is a file of src/ itself, another one a folder. */
const LAYERS: readonly (readonly string[])[] = [
  [
    'abort.ts',
    'diagnostics.ts',
    'errors.ts',
    'events.ts',
    'lag.ts',
    'log.ts',
    'node-require.ts',
    'optional-peer.ts',
    'options.ts',
    'pipeline-types.ts',
    'shift.ts',
    'version.ts',
    'voice.ts',
    'warn.ts',
  ],
  ['engine'],
  ['hub'],
  ['model'],
  ['audio'],
  ['text'],
  ['transforms'],
  ['sources'],
  ['recordings'],
  ['live'],
  ['merge'],
  ['composition'],
  ['low-level.ts', 'model.ts', 'bundled-model.ts', 'load-model.ts', 'machine.ts', 'shared-model.ts'],
  ['lm'],
  ['merge.ts', 'parakeet.ts', 'transcribe.ts'],
  ['sinks'],
  ['session'],
  ['verify'],
  ['calibrate'],
  ['livekit'],
  ['many'],
  ['index.ts', 'stages.ts'],
  ['server'],
  ['page'],
  ['cli'],
];

const folder = path.join(root, 'src');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const layerOf = (file: string) =>
  LAYERS.findIndex((rooms) => rooms.includes(file.split(path.sep)[0] as string));

/** The files of src/ that a file imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
  return found.map(([, target = '']) => path.join(path.dirname(file), target).replace(/\.js$/, '.ts'));
}

test('every file is in a room that is known', () => {
  expect(files.length).toBeGreaterThan(120);
  expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
});

test('no import runs up', () => {
  const up = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => layerOf(target) > layerOf(file))
      .map((target) => `${file} → ${target}`),
  );
  expect(up).toEqual([]);
});

test("the server is built on the public API: of the rest it takes the ground, the bounds of a phrase, and an archive's queues", () => {
  const [ground = []] = LAYERS;
  const allowed = [
    ...[...ground, 'index.ts', path.join('model', 'boost.ts'), path.join('model', 'boost-tree.ts')],
    ...['index.ts', path.join('redis', 'board.ts'), path.join('redis', 'connection.ts')].map((name) =>
      path.join('many', name),
    ),
  ];
  const stray = files
    .filter((file) => file.startsWith(`server${path.sep}`))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => !target.startsWith(`server${path.sep}`) && !allowed.includes(target))
        .map((target) => `${file} → ${target}`),
    );
  expect(stray).toEqual([]);
});

/** What each room of native/ knows nothing of; the model's arithmetic is behind the seam of ops/. */
const UNKNOWN: Readonly<Record<string, RegExp>> = {
  engine: /^(binding\/|napi)/,
  model: /^(binding\/|engine\/|ops\/cpu\/|napi)/,
  ops: /^(binding\/|engine\/|model\/|napi)/,
};

test.each(Object.entries(UNKNOWN))(
  'native/%s includes nothing above it or behind a seam',
  (room, unknown) => {
    const rooms = path.join(root, 'native', room);
    const sources = readdirSync(rooms, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(h|cpp)$/.test(name),
    );
    const stray = sources.flatMap((name) => {
      const included = readFileSync(path.join(rooms, name), 'utf8').matchAll(/^#include ["<]([^">]+)/gm);
      return [...included]
        .map(([, target = '']) => target)
        .filter((target) => unknown.test(target))
        .map((target) => `${name}: ${target}`);
    });
    expect(sources.length).toBeGreaterThan(10);
    expect(stray).toEqual([]);
  },
);

test('ARCHITECTURE.md names every room', () => {
  const text = readDocument('ARCHITECTURE.md');
  const rooms = LAYERS.flat().filter((room) => !room.endsWith('.ts'));
  expect(rooms.filter((room) => !text.includes(`src/${room}/`))).toEqual([]);
});
