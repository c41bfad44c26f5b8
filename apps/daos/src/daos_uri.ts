import { isLabelOrUuid } from '@daos/control';

const SCHEME = 'daos://';

/** Where a `daos://pool[/container[/path]]` points. */
export interface DaosUri {
  readonly pool: string;
  /** Empty when the URI ends with the pool. */
  readonly container: string;
  /** Absolute path inside the container; `/` for its root. */
  readonly path: string;
}

/** True when the text is meant as a DAOS URI, well formed or not. */
export function isDaosUri(text: string): boolean {
  return text.startsWith(SCHEME) || text.startsWith('daos:');
}

/** Parses a DAOS URI. Throws an `Error` that says what is wrong with it. */
export function parseDaosUri(text: string): DaosUri {
  if (!text.startsWith(SCHEME)) throw new Error(`invalid DAOS path ${JSON.stringify(text)}: expected daos://pool/container[/path]`);
  const [pool = '', container = '', ...rest] = text.slice(SCHEME.length).split('/');
  if (pool === '' || !isLabelOrUuid(pool)) throw new Error(`invalid DAOS path ${JSON.stringify(text)}: ${JSON.stringify(pool)} is no pool label or UUID`);
  if (container !== '' && !isLabelOrUuid(container)) {
    throw new Error(`invalid DAOS path ${JSON.stringify(text)}: ${JSON.stringify(container)} is no container label or UUID`);
  }
  return { pool, container, path: `/${rest.filter((part) => part !== '').join('/')}` };
}
