import { ChecksumType, IodType, iodChecksums, type Epoch } from '@daos/common';
import { dsContHandleLookup } from '@daos/container/ds';
import type { EngineModule } from '@daos/engine';
import { telemetry } from '@daos/gurt';
import { dsPoolChildLookup } from '@daos/pool/ds';

export interface ProbeArgs {
  readonly pool: string;
  readonly handle: string;
}

export interface ProbeWrite extends ProbeArgs {
  readonly bytes: number;
  /** What the value is filled with. */
  readonly fill: number;
  /** With checksums (crc64). */
  readonly isChecked?: boolean;
}

export interface ProbeRead extends ProbeArgs {
  readonly epoch: Epoch;
}

const AT = {
  oid: { oid: { hi: 0n, lo: 1n }, shard: 0, layoutVersion: 1 },
  flavours: { dkey: 'hashed', akey: 'hashed' },
  flags: 0,
  dkey: Buffer.from('d'),
} as const;

function iod(bytes: number) {
  return { akey: Buffer.from('a'), type: IodType.ARRAY, size: 1, recxs: [{ idx: 0n, nr: BigInt(bytes) }] };
}

/** Looks handles up, reads and writes as the object service does. */
export const probeModule: EngineModule = {
  name: 'probe',
  id: 40,
  version: 1,
  start(xs) {
    if (xs.kind !== 'target') return {};
    xs.operation('probe.lookup', async ({ pool, handle }: ProbeArgs) => {
      const found = dsContHandleLookup(xs, pool, handle);
      const wasCached = !(found instanceof Promise);
      const { containerUuid, canRead, canWrite, poolMapVersion, checksum } = await found;
      return { wasCached, containerUuid, canRead, canWrite, poolMapVersion, checksum };
    });
    xs.operation('probe.metrics', () => telemetry.snapshot());
    xs.operation('probe.props', (pool: string) => dsPoolChildLookup(xs, pool).props);
    xs.operation('probe.write', async ({ pool, handle, bytes, fill, isChecked = false }: ProbeWrite) => {
      const { container } = await dsContHandleLookup(xs, pool, handle);
      const values = [Buffer.alloc(bytes, fill)];
      const iods = [iod(bytes)];
      const sums = values.map((value) => iodChecksums(ChecksumType.CRC64, 32 * 1024, iod(bytes), value));
      const checksums = isChecked ? { checksums: sums } : {};
      await container.update({ ...AT, epoch: xs.hlc.get(), iods, values, ...checksums });
    });
    xs.operation('probe.read', async ({ pool, handle, epoch }: ProbeRead) => {
      const { container } = await dsContHandleLookup(xs, pool, handle);
      const [found] = await container.fetch({ ...AT, epoch, iods: [iod(1)] });
      return found?.pieces[0]?.data[0];
    });
    return {};
  },
};
