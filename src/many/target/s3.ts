/** Transcripts in storage that speaks S3's protocol. An object is whole or not there, by the protocol. */
import { JobError } from '../../errors.js';
import type { OutputFormat } from '../../sinks/formats.js';
import { s3Place, s3Storage } from '../source/s3.js';
import { keptName, keptText, readKept } from './kept.js';
import type { Target } from './target.js';

const TYPES: Record<OutputFormat, string> = {
  txt: 'text/plain; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/jsonl',
};

/** @param address `s3://BUCKET` or `s3://BUCKET/PREFIX`. */
export function s3Target(address: string): Target {
  const { bucket, key: prefix } = s3Place(address);
  const keyOf = (name: string) => (prefix === '' ? name : `${prefix.replace(/\/$/, '')}/${name}`);
  const put = async (name: string, body: string | Uint8Array, type: string, signal?: AbortSignal) => {
    const { client, sdk } = await s3Storage();
    const key = keyOf(name);
    const command = new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: type });
    try {
      await client.send(command, signal ? { abortSignal: signal } : {});
    } catch (cause) {
      throw refused(`s3://${bucket}/${key}`, cause as Error);
    }
    return `s3://${bucket}/${key}`;
  };
  return {
    recall: async (key) => {
      const { client, sdk } = await s3Storage();
      try {
        const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: keyOf(keptName(key)) });
        const { Body: body } = await client.send(command);
        return body && readKept(await body.transformToString());
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw refused(address, error as Error);
      }
    },
    deliver: async ({ key, files, heard }, signal) => {
      const written: string[] = [];
      for (const { name, format, bytes } of files)
        written.push(await put(name, bytes, TYPES[format], signal));
      await put(keptName(key), keptText(heard), 'application/json', signal);
      return written;
    },
  };
}

function refused(address: string, cause: Error): JobError {
  return new JobError(
    'ERR_PARAKEET_JOB_DELIVERY',
    `Expected storage to serve ${address} but it answers ${cause.name}: ${cause.message}. Check the bucket and the credentials of the workers.`,
    { cause },
  );
}
