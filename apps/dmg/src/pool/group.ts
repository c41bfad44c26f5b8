import { RankSet, parseSize } from '@daos/control';
import type { CliArgument, CliGroup, CliOption } from '@daos/control/cli';

import { later } from '../later.js';
import { parseSettableProperties } from './property_values.js';
import { parseMemRatio, parseTierRatio } from './ratio.js';

const POOL: CliArgument = { name: '<pool label or UUID>', required: true };

export const LIST_POOLS_OPTIONS: readonly CliOption[] = [
  { flags: '-v, --verbose', description: 'UUIDs, replicas and tiers as well' },
  { flags: '-n, --no-query', description: 'do not ask the pools for their space' },
  { flags: '-r, --rebuild-only', description: 'only pools that are being rebuilt' },
];

/** A size, or a share of all storage in whole percent. */
export type PoolSize = { readonly bytes: bigint } | { readonly percent: number };

function poolSize(text: string): PoolSize {
  const share = /^\s*(\d+)\s*%\s*$/.exec(text);
  if (!share) return { bytes: size(text) };
  const percent = Number(share[1]);
  if (percent <= 0 || percent > 100) {
    throw new Error(`Creating DAOS pool with invalid full size ratio ${percent}%: allowed range 0 < ratio <= 100`);
  }
  return { percent };
}

function size(text: string): bigint {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new Error(`invalid size ${JSON.stringify(text)}`);
  return bytes;
}

function unsigned(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 0xffff_ffff) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function ranks(text: string): readonly number[] {
  return RankSet.parse(text).ranks;
}

function sizeOption(flags: string, description: string): CliOption {
  return { flags, description, parse: size, typeName: 'ui.ByteSizeFlag' };
}

const CREATE_OPTIONS: readonly CliOption[] = [
  { flags: '-g, --group <group>', description: 'owner group' },
  { flags: '-u, --user <user>', description: 'owner' },
  { flags: '-P, --properties <properties>', description: 'pool properties, key:val[,key:val...]', parse: (text) => parseSettableProperties(text), typeName: 'main.PoolSetPropsFlag' },
  { flags: '-a, --acl-file <file>', description: 'access control list, an entry per line' },
  { flags: '-z, --size <size>', description: 'size of the pool, or a share such as 80%', parse: poolSize, typeName: 'main.poolSizeFlag' },
  { flags: '-t, --tier-ratio <ratio>', description: 'share of each storage tier, such as 6,94', parse: parseTierRatio, typeName: 'main.tierRatioFlag' },
  { flags: '-k, --nranks <count>', description: 'number of ranks', parse: unsigned, typeName: 'uint32' },
  { flags: '-v, --nsvc <count>', description: 'number of service replicas', parse: unsigned, typeName: 'uint32' },
  sizeOption('-s, --scm-size <size>', 'first tier, per rank'),
  sizeOption('-n, --nvme-size <size>', 'second tier, per rank'),
  sizeOption('--meta-size <size>', 'metadata, per rank'),
  sizeOption('--data-size <size>', 'data, per rank'),
  { flags: '--mem-ratio <ratio>', description: 'memory file as a share of metadata', parse: parseMemRatio, typeName: 'main.tierRatioFlag' },
  { flags: '-r, --ranks <ranks>', description: 'ranks of the pool', parse: ranks, typeName: 'ui.RankSetFlag' },
];

const OUTFILE_OPTIONS: readonly CliOption[] = [
  { flags: '-O, --outfile <file>', description: 'write to a file' },
  { flags: '-f, --force', description: 'overwrite the file' },
  { flags: '-v, --verbose', description: 'explain each entry' },
];

export const POOL_GROUP: CliGroup = {
  name: 'pool',
  description: 'pools',
  commands: [
    {
      name: 'create',
      description: 'create a pool',
      options: CREATE_OPTIONS,
      args: [{ name: '<pool label>', required: true }],
      run: async (context) => (await import('./create.js')).run(context),
    },
    {
      name: 'delete-acl',
      description: "remove a principal's entry",
      options: [{ flags: '-p, --principal <principal>', description: 'u:name@, g:name@, OWNER@, GROUP@, EVERYONE@', required: true }],
      args: [POOL],
      run: async (context) => (await import('./acl.js')).runDelete(context),
    },
    {
      name: 'destroy',
      description: 'destroy a pool and its data',
      options: [
        { flags: '-r, --recursive', description: 'with its containers' },
        { flags: '-f, --force', description: 'even when it is in use' },
      ],
      args: [POOL],
      run: async (context) => (await import('./destroy.js')).runDestroy(context),
    },
    later('pool', 'drain'),
    {
      name: 'evict',
      description: 'close all handles of a pool',
      args: [POOL],
      run: async (context) => (await import('./destroy.js')).runEvict(context),
    },
    later('pool', 'exclude'),
    later('pool', 'extend'),
    {
      name: 'get-acl',
      description: 'show the access control list',
      options: OUTFILE_OPTIONS,
      args: [POOL],
      run: async (context) => (await import('./acl.js')).runGet(context),
    },
    {
      name: 'get-prop',
      description: 'show properties',
      args: [POOL, { name: '[key[,key...]]' }],
      run: async (context) => (await import('./properties.js')).runGet(context),
    },
    {
      name: 'list',
      aliases: ['ls'],
      description: 'list pools',
      options: LIST_POOLS_OPTIONS,
      run: async (context) => (await import('./list.js')).run(context),
    },
    {
      name: 'overwrite-acl',
      description: 'replace the access control list',
      options: [{ flags: '-a, --acl-file <file>', description: 'an entry per line', required: true }],
      args: [POOL],
      run: async (context) => (await import('./acl.js')).runOverwrite(context),
    },
    {
      name: 'query',
      description: 'show state, health and space',
      options: [
        { flags: '-t, --health-only', description: 'without space' },
        { flags: '-e, --show-enabled', description: 'ranks in use as well' },
        { flags: '--no-self-heal-check', description: 'do not compare self-healing policies' },
      ],
      args: [POOL],
      run: async (context) => (await import('./query.js')).run(context),
    },
    {
      name: 'query-targets',
      description: 'show space and state of targets',
      options: [
        { flags: '--rank <rank>', description: 'rank of the targets', required: true, parse: unsigned, typeName: 'uint32' },
        { flags: '--target-idx <indices>', description: 'targets, such as 0,2-3; all when absent', parse: ranks, typeName: 'ui.RankSetFlag' },
      ],
      args: [POOL],
      run: async (context) => (await import('./query_targets.js')).run(context),
    },
    { name: 'rebuild', description: 'rebuild', commands: [later('pool rebuild', 'start'), later('pool rebuild', 'stop')] },
    later('pool', 'reintegrate', ['reint']),
    {
      name: 'set-prop',
      description: 'change properties',
      args: [POOL, { name: '<key:val[,key:val1[;val2...]...]>', required: true }],
      run: async (context) => (await import('./properties.js')).runSet(context),
    },
    {
      name: 'update-acl',
      description: 'add or change entries',
      options: [
        { flags: '-a, --acl-file <file>', description: 'an entry per line' },
        { flags: '-e, --entry <entry>', description: 'one entry' },
      ],
      args: [POOL],
      run: async (context) => (await import('./acl.js')).runUpdate(context),
    },
    later('pool', 'upgrade'),
  ],
};
