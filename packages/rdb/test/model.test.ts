import fc from 'fast-check';

import { isDaosError, type DaosError } from '@daos/common';
import { rdbStringKey, type RdbPath, type RdbReplica } from '@daos/rdb';

import { createReplica, reopenReplica, testDb } from './helpers.js';

/** The same tree in memory: a KVS is a map of values and KVSs. */
type Node = Map<string, Node | string>;

interface Step {
  readonly kind: 'update' | 'delete' | 'create' | 'destroy' | 'commit' | 'restart';
  readonly path: readonly string[];
  readonly key: string;
  readonly value: string;
}

const name = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'update',
    'update',
    'update',
    'delete',
    'create',
    'destroy',
    'commit',
    'commit',
    'restart',
  ),
  path: fc.array(name, { maxLength: 2 }),
  key: name,
  value: fc.string({ minLength: 1, maxLength: 5 }),
});

function find(root: Node, path: readonly string[]): Node | undefined {
  let node: Node | string | undefined = root;
  for (const key of path) node = node instanceof Map ? node.get(key) : undefined;
  return node instanceof Map ? node : undefined;
}

/** Applies one change to the model; returns the error that it must give. */
function applyToModel(root: Node, { kind, path, key, value }: Step): string | undefined {
  const node = find(root, path);
  if (!node) return 'NONEXIST';
  const old = node.get(key);
  if (kind === 'update') {
    if (old instanceof Map) return 'MISMATCH';
    node.set(key, value);
  } else if (kind === 'delete') {
    if (old instanceof Map) return 'MISMATCH';
    node.delete(key);
  } else if (kind === 'create') {
    if (old !== undefined) return 'EXIST';
    node.set(key, new Map());
  } else {
    if (!(old instanceof Map)) return 'NONEXIST';
    if ([...old.values()].some((child) => child instanceof Map)) return 'INVAL';
    node.delete(key);
  }
  return undefined;
}

const clone = (node: Node): Node =>
  new Map([...node].map(([key, value]) => [key, value instanceof Map ? clone(value) : value]));
const toPath = (path: readonly string[]): RdbPath => path.map(rdbStringKey);

async function readTree(rdb: RdbReplica, path: readonly string[] = []): Promise<Node> {
  const tx = await rdb.begin();
  const node: Node = new Map();
  const text = (key: Uint8Array): string => Buffer.from(key).toString('utf8', 0, key.length - 1);
  for (const { key, value } of tx.iterate(toPath(path))) node.set(text(key), Buffer.from(value).toString());
  for (const key of tx.childKeys(toPath(path)))
    node.set(text(key), await readTree(rdb, [...path, text(key)]));
  return node;
}

const sorted = (node: Node): unknown =>
  [...node].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, v instanceof Map ? sorted(v) : v]);

describe('RDB against a model', () => {
  it('holds what a tree in memory holds, whatever the transactions, over restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const db = testDb();
        let rdb = await createReplica(db);
        try {
          const first = await rdb.begin();
          first.createRoot();
          await first.commit();
          let model: Node = new Map();
          let staged = model;
          let error: string | undefined;
          let tx = await rdb.begin();
          for (const one of [...steps, { kind: 'commit', path: [], key: 'a', value: 'x' } as const]) {
            if (one.kind === 'restart') {
              await rdb.stop();
              rdb = await reopenReplica(db);
              tx = await rdb.begin();
              staged = clone(model);
              error = undefined;
            } else if (one.kind === 'commit') {
              const outcome = await tx.commit().then(
                () => undefined,
                (e: unknown) => e,
              );
              expect(isDaosError(outcome) ? (outcome as DaosError).der : outcome).toBe(error);
              if (!error) model = staged;
              staged = clone(model);
              error = undefined;
            } else {
              const path = toPath(one.path);
              const key = rdbStringKey(one.key);
              if (one.kind === 'update') tx.update(path, key, Buffer.from(one.value));
              else if (one.kind === 'delete') tx.delete(path, key);
              else if (one.kind === 'create') tx.createKvs(path, key);
              else tx.destroyKvs(path, key);
              if (staged === model) staged = clone(model);
              error ??= applyToModel(staged, one);
            }
          }
          expect(sorted(await readTree(rdb))).toEqual(sorted(model));
          expect(rdb.info().usedBytes >= 0 && (model.size > 0 || rdb.info().usedBytes === 0)).toBe(true);
        } finally {
          await rdb.stop();
          db.remove();
        }
      }),
      { numRuns: 60 },
    );
  });
});
