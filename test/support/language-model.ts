// Small language models of random text in a golden model's tokens, in a folder of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadAddon } from '../../src/engine/load-addon.js';
import { vocabularyHash } from '../../src/model/language-model.js';

export class LanguageModelFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), 'parakeet-lm-'));

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** A model of a text in which the next token depends on the last one, in a way that `salt` says. */
  async make(vocabulary: readonly string[], salt: number, order = 3): Promise<string> {
    const builder = loadAddon().createLmBuilder(vocabulary.length, order);
    const tokens: number[] = [];
    for (let i = 0, last = 1; i < 4000; i++) {
      last = (last * salt + ((i * i) % 7)) % vocabulary.length;
      tokens.push(last);
    }
    await builder.addText(Int32Array.from(tokens));
    const { file } = await builder.estimate(0, 2, vocabularyHash(vocabulary));
    await builder.close();
    const name = this.file(`${salt}-${order}.lm`);
    writeFileSync(name, file);
    return name;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
