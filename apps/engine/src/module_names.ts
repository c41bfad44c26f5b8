import { DaosError } from '@daos/common';
import type { ModuleSpecifier } from '@daos/engine';

const LIST_LENGTH_MAX = 64;

/**
 * Modules of this engine in start order. `vos`, `rdb` and `rsvc` are libraries here: they are named in DAOS's module
 * lists, and start nothing of their own.
 */
const MODULES: Readonly<Record<string, { readonly from: string; readonly exportName: string } | undefined>> = {
  vos: undefined,
  rdb: undefined,
  rsvc: undefined,
  security: undefined,
  mgmt: { from: '@daos/mgmt/ds', exportName: 'mgmtModule' },
  pool: { from: '@daos/pool/ds', exportName: 'poolModule' },
  cont: { from: '@daos/container/ds', exportName: 'contModule' },
  obj: { from: '@daos/object/ds', exportName: 'objModule' },
};

const ALIASES: Readonly<Record<string, string>> = {
  object: 'obj', po: 'pool', co: 'cont', container: 'cont', management: 'mgmt', vos_srv: 'vos',
};

/** Modules of DAOS that this engine does not have yet; a list that names one is refused. */
const NOT_YET = new Set(['dtx', 'rebuild', 'pipeline', 'chk']);

export const MODULES_DEFAULT = 'vos,rdb,rsvc,security,mgmt,pool,cont,obj';

/** Where the modules of a `-m` list are found, in the order in which they must start. Throws DER_INVAL or DER_NOSYS. */
export function moduleSpecifiers(list: string): ModuleSpecifier[] {
  if (list.length > LIST_LENGTH_MAX) {
    throw new DaosError('INVAL', `the module list has ${list.length} characters, at most ${LIST_LENGTH_MAX} are possible`);
  }
  const wanted = new Set(list.split(',').map((name) => ALIASES[name.trim()] ?? name.trim()));
  for (const name of wanted) {
    if (NOT_YET.has(name)) throw new DaosError('NOSYS', `module "${name}" is not part of this version`);
    if (!(name in MODULES)) throw new DaosError('INVAL', `there is no module "${name}"`);
  }
  return Object.entries(MODULES).flatMap(([name, module]) => (
    module && wanted.has(name) ? [{ url: import.meta.resolve(module.from), exportName: module.exportName }] : []));
}
