// For Node: a file as the place to keep things.

import { open, readFile, rename } from 'node:fs/promises';

import type { Storage } from './client.js';

/** One file that only its owner reads. Replaced as a whole, so that a crash leaves the old one or the new one. */
export class FileStorage implements Storage {
  constructor(readonly path: string) {}

  async read(): Promise<string | null> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  async write(text: string): Promise<void> {
    const beside = `${this.path}.new`;
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, this.path);
  }
}
