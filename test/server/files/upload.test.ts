/** The bytes of uploads: limits, senders that stand still, temporary files. */
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UploadGuard } from '../../../src/server/files/upload-guard.js';
import { UploadSpool } from '../../../src/server/files/upload-spool.js';

describe('UploadGuard', () => {
  test('passes everything on, and shows it before', async () => {
    let seen = 0;
    const guard = UploadGuard.of(Readable.from([Buffer.alloc(1000), Buffer.alloc(500)]), {
      most: 1500,
      idle: 10,
      inspect: (bytes) => {
        seen += bytes.length;
      },
    });
    expect((await buffer(guard)).length).toBe(1500);
    expect(seen).toBe(1500);
  });

  test('one byte too many is an error', async () => {
    const guard = UploadGuard.of(Readable.from([Buffer.alloc(1501)]), { most: 1500, idle: 10 });
    await expect(buffer(guard)).rejects.toMatchObject({ code: 'ERR_PARAKEET_SERVER_LIMIT' });
  });

  test("a failure of the sender is the reader's", async () => {
    const source = new PassThrough();
    const read = buffer(UploadGuard.of(source, { most: 1500, idle: 10 }));
    source.destroy(new Error('cut off'));
    await expect(read).rejects.toThrow('cut off');
  });

  test('a sender that stands still is an error, a reader that does is none', async () => {
    const source = new PassThrough();
    const guard = UploadGuard.of(source, { most: 1e6, idle: 0.1 });
    // Nobody reads for longer than the sender may be silent.
    source.write(Buffer.alloc(300_000));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(guard.destroyed).toBe(false);
    await expect(buffer(guard)).rejects.toMatchObject({ code: 'ERR_PARAKEET_SERVER_LIMIT', statusCode: 408 });
  });
});

describe('UploadSpool', () => {
  test('gives back what was written, whatever the pieces, as often as wanted', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const spool = new UploadSpool(200_000);
        try {
          for (const part of parts) await spool.write(part);
          for (let times = 0; times < 2; times++)
            expect((await buffer(await spool.read())).equals(Buffer.concat(parts))).toBe(true);
        } finally {
          await spool.remove();
        }
      }),
      { numRuns: 30 },
    );
  });

  test('takes no more than allowed', async () => {
    const spool = new UploadSpool(10);
    await spool.write(new Uint8Array(10));
    expect(spool.hasRoomFor(1)).toBe(false);
    await expect(spool.write(new Uint8Array(1))).rejects.toMatchObject({ code: 'ERR_PARAKEET_SERVER_LIMIT' });
    await spool.remove();
  });

  test('without a folder for temporary files it says so', async () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = '/nowhere/at/all';
    try {
      await expect(new UploadSpool(10).write(new Uint8Array(1))).rejects.toMatchObject({
        code: 'ERR_PARAKEET_WRITE',
      });
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});
