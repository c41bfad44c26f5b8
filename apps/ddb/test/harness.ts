import { runWords } from '../src/commands/table.js';
import type { DdbStore } from '../src/pool/ddb_store.js';
import { Session, type SessionOptions } from '../src/session.js';
import { splitWords } from '../src/words.js';
import { FakeStore, PATH } from './fake_pool.js';

/** A session whose output is kept. */
export class TestSession {
  readonly lines: string[] = [];
  readonly session: Session;

  constructor(store: DdbStore, options: SessionOptions = {}) {
    this.session = new Session(store, (line) => this.lines.push(line), options);
  }

  /** Runs a command line; the result is what it printed. */
  async run(line: string): Promise<string> {
    this.lines.length = 0;
    await runWords(this.session, splitWords(line));
    return this.lines.join('\n');
  }
}

/** A session on a fake pool that is open for writing. */
export async function writableFake(): Promise<{ test: TestSession; store: FakeStore }> {
  const store = new FakeStore();
  const test = new TestSession(store, { write: true });
  await test.run(`open -w ${PATH}`);
  return { test, store };
}
