/** The pages: `/` (captions of this computer's sound), `/rooms/:room` and its overlay, and what they load. Static files; what they show comes by other routes. */
import { fileURLToPath } from 'node:url';
import type { Protocol } from '../context.js';

/** Bundled by scripts/build-page.mjs; the same folder seen from src/ and from dist/. */
const folder = fileURLToPath(new URL('../../../dist/page/', import.meta.url));

/** Nothing but the server's own files: no inline script or style, no other origin, in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  'media-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ASSETS = ['app.js', 'room.js', 'overlay.js', 'worklet.js', 'style.css', 'overlay.css', 'icon.svg'];

export const page: Protocol = (app) => {
  const files: Record<string, string> = {
    '/': 'index.html',
    '/rooms/:room(^[\\w-]+$)': 'room.html',
    '/rooms/:room(^[\\w-]+$)/overlay': 'overlay.html',
    ...Object.fromEntries(ASSETS.map((name) => [`/assets/${name}`, name])),
  };
  for (const [route, file] of Object.entries(files))
    app.get(route, { config: { access: 'public' } }, async (_, reply) => {
      reply.headers({
        'content-security-policy': POLICY,
        'permissions-policy': 'microphone=(self), display-capture=(self), geolocation=()',
      });
      return reply.sendFile(file, folder);
    });
};
