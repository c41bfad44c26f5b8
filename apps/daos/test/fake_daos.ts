import type { Container, ContainerInfo, Daos, Pool, PoolInfo, PropValue } from '@daos/client';
import { DaosError, unixNsToHlc } from '@daos/common';
import { runCli } from '@daos/control/cli';

import { PROGRAM } from '../src/program.js';
import { useDaos } from '../src/session.js';

export const POOL_UUID = '1d48e9fc-a45a-4525-a59c-26fa40c76033';
export const CONT_UUID = 'c8d2ece1-d381-4173-835b-3a35b7797fad';

/** 2026-11-23 04:00:53.45008 UTC, as the store counts time. */
export const OPEN_TIME = unixNsToHlc(1_795_406_453_450_080_256n);

type Attributes = Map<string, Uint8Array>;

export interface FakeContainer {
  readonly uuid: string;
  label: string | undefined;
  readonly type: string;
  readonly attrs: Attributes;
  busy?: boolean;
  readonly props?: readonly PropValue[];
}

export interface FakeSystem {
  readonly containers: FakeContainer[];
  readonly attrs: Attributes;
  readonly denied?: boolean;
  readonly initFailure?: Error;
}

export function fakeSystem(changes: Partial<FakeSystem> = {}): FakeSystem {
  return { containers: [{ uuid: CONT_UUID, label: 'c1', type: 'unknown', attrs: new Map() }], attrs: new Map(), ...changes };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `daos` against a system in memory. Trailing blanks are cut, as nobody sees them. */
export async function daos(system: FakeSystem, ...argv: string[]): Promise<Ran> {
  useDaos(() => (system.initFailure ? Promise.reject(system.initFailure) : Promise.resolve(fakeDaos(system))));
  let out = '';
  let err = '';
  const streams = { stdout: { write: (text: string) => (out += text) }, stderr: { write: (text: string) => (err += text) } };
  const code = await runCli(PROGRAM, argv, streams);
  return { code, out: out.replaceAll(/ +$/gm, ''), err };
}

function missing(what: string): DaosError {
  return new DaosError('NONEXIST', what);
}

function attributeMethods(attrs: Attributes): Pick<Pool, 'setAttrs' | 'getAttrs' | 'listAttrs' | 'delAttrs'> {
  return {
    setAttrs: async (added) => {
      for (const [name, value] of Object.entries(added)) attrs.set(name, value);
    },
    getAttrs: async (names) =>
      names.map((name) => {
        const value = attrs.get(name);
        if (!value) throw missing(name);
        return value;
      }),
    listAttrs: async () => [...attrs.keys()],
    delAttrs: async (names) => names.forEach((name) => attrs.delete(name)),
  };
}

const POOL_INFO: PoolInfo = {
  uuid: POOL_UUID,
  label: 'dp',
  targetCount: 1,
  activeTargetCount: 1,
  disabledTargetCount: 0,
  mapVersion: 1,
  layoutVersion: 4,
  upgradeLayoutVersion: 4,
  leaderRank: 0,
  serviceRanks: [0],
  enabledRanks: [0],
  state: 'Ready',
  rebuildState: 'idle',
  tiers: [
    { mediaType: 'scm', totalBytes: 1_500_000_256, freeBytes: 870_255_296, minBytes: 870_255_296, maxBytes: 870_255_296, meanBytes: 870_255_296 },
    { mediaType: 'nvme', totalBytes: 0, freeBytes: 0, minBytes: 0, maxBytes: 0, meanBytes: 0 },
  ],
};

function fakeDaos(system: FakeSystem): Daos {
  const parts: Partial<Daos> = {
    system: 'daos_server',
    systemInfo: () => ({
      name: 'daos_server',
      provider: 'ofi+tcp',
      agentPath: '/var/run/daos_agent/daos_agent.sock',
      serverVersion: '2.9.100',
      rankUris: [{ rank: 0, uri: 'ofi+tcp://127.0.0.1:31416' }],
      accessPointRanks: [0],
    }),
    poolConnect: async (id) => {
      if (system.denied) throw new DaosError('NO_PERM');
      if (id !== 'dp' && id !== POOL_UUID) throw missing(id);
      return fakePool(system);
    },
    poolList: async () => [{ uuid: POOL_UUID, label: 'dp', serviceRanks: [0] }],
    close: async () => undefined,
  };
  return parts as Daos;
}

function fakePool(system: FakeSystem): Pool {
  const find = (id: string): FakeContainer => {
    const found = system.containers.find((container) => container.uuid === id || container.label === id);
    if (!found) throw missing(id);
    return found;
  };
  const parts: Partial<Pool> = {
    uuid: POOL_UUID,
    label: 'dp',
    ...attributeMethods(system.attrs),
    query: async () => POOL_INFO,
    contList: async () => system.containers.map(({ uuid, label }) => ({ uuid, label })),
    contCreate: async (options = {}) => {
      if (options.label !== undefined && system.containers.some(({ label }) => label === options.label)) throw new DaosError('EXIST');
      system.containers.push({ uuid: CONT_UUID, label: options.label, type: options.type ?? 'unknown', attrs: new Map() });
      return CONT_UUID;
    },
    contOpen: async (id) => fakeContainer(find(id)),
    contDestroy: async (id, options = {}) => {
      const found = find(id);
      if (found.busy && !options.force) throw new DaosError('BUSY');
      system.containers.splice(system.containers.indexOf(found), 1);
    },
    close: async () => undefined,
  };
  return parts as Pool;
}

function fakeContainer(stored: FakeContainer): Container {
  const info: ContainerInfo = {
    uuid: stored.uuid,
    label: stored.label,
    layoutType: stored.type,
    latestSnapshot: 0n,
    snapshotCount: 0,
    redundancyFactor: 0,
    handleCount: 1,
    openTime: OPEN_TIME,
    closeModifyTime: 0n,
  };
  const parts: Partial<Container> = {
    uuid: stored.uuid,
    label: stored.label,
    writable: true,
    ...attributeMethods(stored.attrs),
    query: async () => info,
    getProps: async () => [...(stored.props ?? [{ name: 'status', value: 'HEALTHY' }])],
    setProps: async (props) => {
      stored.label = props.label ?? stored.label;
    },
    objOpen: (oid) => {
      if (oid.hi < 1n << 32n) throw new DaosError('INVAL');
      const layout = { version: 1, className: 'S2', groups: [[{ rank: 0, target: 0 }], [{ rank: 0, target: 1 }]] };
      return { layout: () => layout, close: async () => undefined } as unknown as ReturnType<Container['objOpen']>;
    },
    objects: async function* () {
      yield { hi: 281479271677952n, lo: 0n };
    },
    close: async () => undefined,
  };
  return parts as Container;
}
