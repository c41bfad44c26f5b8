// The layer table: which packages each package may import. ESLint (eslint.config.mjs) enforces it on every import.
// A service has two halves: `dc` runs in clients and must be installable without a server, `ds` runs in engines.

const BASE = ['gurt'];
const L1 = [...BASE, 'common', 'native', 'proto'];
const L2 = [...L1, 'cart', 'drpc', 'vea', 'bio'];
const L3 = [...L2, 'vos', 'placement', 'rdb'];
const L4 = [...L3, 'rsvc', 'engine'];
const SERVICES = ['security', 'mgmt', 'pool', 'container', 'dtx', 'object', 'rebuild'];
const halves = (half) => SERVICES.map((service) => `${service}/${half}`);
const RPC = halves('rpc');
const DC = [...L2, 'placement', ...RPC, ...halves('dc')];
const DS = [...L4, ...RPC, ...halves('dc'), ...halves('ds')];
const CLIENT = [...DC, 'client', 'dfs', 'control'];

/** Folder -> names after `@daos/` that its sources may import. */
export const MAY_IMPORT = {
  'packages/gurt': [],
  'packages/common': BASE,
  'packages/native': BASE,
  'packages/proto': BASE,
  'packages/cart': L1,
  'packages/drpc': L1,
  'packages/vea': L1,
  'packages/bio': [...L1, 'vea'],
  'packages/vos': L2,
  'packages/placement': L2,
  'packages/rdb': L2,
  'packages/rsvc': L3,
  'packages/engine': L3,
  ...Object.fromEntries(
    SERVICES.flatMap((service) => [
      [`packages/${service}/src/dc`, DC],
      [`packages/${service}/src/ds`, DS],
      [`packages/${service}/src`, [...L2, ...RPC]],
    ]),
  ),
  'packages/client': DC,
  'packages/dfs': [...L2, 'client'],
  'packages/control': L2,
  'apps/agent': [...DC, 'control'],
  'apps/dmg': CLIENT,
  'apps/daos': CLIENT,
  'apps/ddb': ['gurt', 'common', 'native', 'vea', 'bio', 'vos'],
  'apps/server': [...DC, 'control', 'rdb'],
  'apps/engine': [...L4, ...RPC, ...halves('ds')],
};

/** All names that can follow `@daos/` in an import. */
export const IMPORTABLE = [...L4, ...SERVICES.flatMap((s) => [`${s}/rpc`, `${s}/dc`, `${s}/ds`]), 'client', 'dfs', 'control'];
