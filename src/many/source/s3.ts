/**
 * Storage that speaks S3's protocol, through `@aws-sdk/client-s3`, an optional peer. Region, credentials and endpoint are the SDK's own:
 * `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL_S3`, a profile, a role.
 */
import type { Readable } from 'node:stream';
import type * as S3 from '@aws-sdk/client-s3';
import { importPeer } from '../../optional-peer.js';
import { received } from '../../options.js';
import { Once } from '../once.js';
import { bodyStream, brokenOff, type Content, changed, unreadable } from './source.js';

const REMEDY = 'Install it: npm install @aws-sdk/client-s3';

/** An object's place. */
export interface S3Place {
  bucket: string;
  key: string;
}

/** The client and the commands of the SDK. */
export interface S3Storage {
  client: S3.S3Client;
  sdk: typeof S3;
}

const storage = new Once(connect);

/** One client for the process, as the environment says. @throws {@link DependencyError} without the SDK. */
export function s3Storage(): Promise<S3Storage> {
  return storage.get();
}

async function connect(): Promise<S3Storage> {
  const sdk = await importPeer<typeof S3>('@aws-sdk/client-s3', 'reads and writes S3', REMEDY);
  const own = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL;
  // Servers other than Amazon's seldom have a name for each bucket.
  return { client: new sdk.S3Client(own ? { forcePathStyle: true } : {}), sdk };
}

export function isS3(address: string): boolean {
  return /^s3:\/\//i.test(address);
}

/** @throws {@link ArgumentError} for an address without a bucket. */
export function s3Place(address: string): S3Place {
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/is.exec(address) ?? [];
  if (bucket === undefined) throw received('s3://BUCKET/KEY', 'an address', address);
  return { bucket, key };
}

export async function s3Content(address: string, signal?: AbortSignal): Promise<Content> {
  const { bucket, key } = s3Place(address);
  const { client, sdk } = await s3Storage();
  const place = { Bucket: bucket, Key: key };
  const head = (stop: AbortSignal | undefined) =>
    client.send(new sdk.HeadObjectCommand(place), stop ? { abortSignal: stop } : {}).catch((error: Error) => {
      throw unreadable(address, `storage answers ${error.name}: ${error.message}`, error);
    });
  const { ContentLength: size, ETag: tag } = await head(signal);
  const get = async (range: string | undefined, stop: AbortSignal | undefined) => {
    const command = new sdk.GetObjectCommand({ ...place, Range: range, IfMatch: tag });
    try {
      const { Body: body } = await client.send(command, stop ? { abortSignal: stop } : {});
      if (body) return body;
    } catch (error) {
      const { name, message } = error as Error;
      if (name === 'PreconditionFailed') throw changed(address);
      throw unreadable(address, `storage answers ${name}: ${message}`, error);
    }
    throw unreadable(address, 'the answer has no body');
  };
  return {
    size,
    file: undefined,
    ranged: size !== undefined,
    unchanged: async (stop) => {
      const now = await head(stop);
      return now.ETag === tag && now.ContentLength === size;
    },
    stream: async (stop) => bodyStream(address, (await get(undefined, stop)) as Readable, stop),
    range: async (from, to, stop) => {
      const body = await get(`bytes=${from}-${to - 1}`, stop);
      const bytes = await body.transformToByteArray().catch((error: Error) => {
        throw brokenOff(address, error, stop);
      });
      if (bytes.length !== to - from) throw changed(address);
      return bytes;
    },
  };
}
