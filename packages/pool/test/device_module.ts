import { BioFile, openIo } from '@daos/bio';
import { FaultyIo } from '@daos/bio/testing';
import { EPOCH_MAX, IodType } from '@daos/common';
import type { EngineModule } from '@daos/engine';
import { dsPoolChildLookup, poolModuleWith } from '@daos/pool/ds';
import type { VosContainer } from '@daos/vos';

/** Of this thread: whether reads of data files fail. */
let readsFail = false;

/** Pools whose data files fail on demand. */
export const failingPoolModule = poolModuleWith({
  openData: async (path, device) => {
    const io = new FaultyIo(await openIo(path, { create: false }));
    const file = await BioFile.openOn(io, { device });
    io.inject({ step: 'read', when: () => readsFail, effect: { kind: 'fail' } });
    return file;
  },
});

export interface ProbeValue {
  readonly pool: string;
  readonly bytes: number;
}

const CONTAINER = '00000000-0000-4000-8000-0000000000c1';

/** Writes and reads one value of each size. */
export const deviceProbe: EngineModule = {
  name: 'probe',
  id: 40,
  version: 1,
  start(xs) {
    if (xs.kind !== 'target') return {};
    const at = (bytes: number) => ({
      oid: { oid: { hi: 0n, lo: 1n }, shard: 0, layoutVersion: 1 },
      flavours: { dkey: 'hashed', akey: 'hashed' } as const,
      flags: 0,
      dkey: Buffer.from('d'),
      iods: [{ akey: Buffer.from(`of ${bytes}`), type: IodType.SINGLE, size: bytes, recxs: [] }],
    });
    const inContainer = async <T>(pool: string, work: (container: VosContainer) => Promise<T>): Promise<T> => {
      const { vos } = dsPoolChildLookup(xs, pool);
      if (!vos.containerList().includes(CONTAINER)) await vos.containerCreate(CONTAINER);
      const container = vos.containerOpen(CONTAINER);
      try {
        return await work(container);
      } finally {
        container.close();
      }
    };
    xs.operation('probe.readsFail', (value: boolean) => {
      readsFail = value;
    });
    xs.operation('probe.write', ({ pool, bytes }: ProbeValue) =>
      inContainer(pool, (container) =>
        container.update({ ...at(bytes), epoch: xs.hlc.get(), values: [Buffer.alloc(bytes, 1)] }),
      ),
    );
    xs.operation('probe.read', ({ pool, bytes }: ProbeValue) =>
      inContainer(pool, async (container) => {
        const [found] = await container.fetch({ ...at(bytes), epoch: EPOCH_MAX - 1n });
        return found?.pieces[0]?.data.length;
      }),
    );
    return {};
  },
};
