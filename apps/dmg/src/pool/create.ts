import { ContextError, RankSet, formatBytes, formatEntity, isLabel, poolCreate, tierBytesOfShare, type ControlClient, type PoolCreateParams } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';
import type { PoolCreateResp, PoolProperty } from '@daos/proto/mgmt/pool';

import { failAs, withControl } from '../session.js';
import { readAclFile } from './acl_file.js';
import type { PoolSize } from './group.js';
import { currentOwner, principal } from './owner.js';
import { labelProperty } from './property_values.js';
import { percentText } from './ratio.js';

const TIER_RATIO_DEFAULT = [0.06, 0.94];
/** A first tier below this share of the pool leaves too little room for metadata. */
const SCM_SHARE_MIN = 0.01;
const BAD_COMBINATION =
  'unsupported option combination, use (--scm-size and --nvme-size) or (--meta-size and --data-size) or (--size)';

interface CreateOptions {
  readonly size?: PoolSize;
  readonly tierRatio?: readonly number[];
  readonly nranks?: number;
  readonly nsvc?: number;
  readonly scmSize?: bigint;
  readonly nvmeSize?: bigint;
  readonly metaSize?: bigint;
  readonly dataSize?: bigint;
  readonly memRatio?: number;
  readonly ranks?: readonly number[];
  readonly user?: string;
  readonly group?: string;
  readonly properties?: readonly PoolProperty[];
  readonly aclFile?: string;
}

/** What the size options ask for. `notice` tells the user how they were understood. */
type SizePlan = Pick<PoolCreateParams, 'totalBytes' | 'tierRatio' | 'tierBytes' | 'memRatio' | 'rankCount'> & {
  readonly notice: string;
  readonly singleTier: boolean;
  readonly percent?: number;
};

/** `dmg pool create`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const label = context.args[0] ?? '';
  const options = context.options as CreateOptions;
  const properties = options.properties ?? [];
  checkSizeOptions(options);
  if (!isLabel(label)) throw new Error(`invalid label ${JSON.stringify(label)}`);
  if (properties.some((property) => property.number === labelProperty(label).number)) {
    throw new Error("can't set label property with label argument");
  }
  const acl = options.aclFile === undefined ? [] : readAclFile(options.aclFile);
  const plan = planSize(options);
  context.io.print(`${plan.notice}\n`);
  if (plan.singleTier) context.io.notice('Creating DAOS pool with only a single tier of storage');
  const owner = currentOwner();
  const params: PoolCreateParams = {
    user: options.user === undefined ? owner.user : principal(options.user),
    userGroup: options.group === undefined ? owner.group : principal(options.group),
    acl,
    properties: [...properties, labelProperty(label)],
    serviceReplicas: options.nsvc ?? 0,
    ranks: options.ranks ?? [],
    ...plan,
  };
  const created = await withControl(context, async (client) => poolCreate(client, await withShare(context, client, params, plan))).catch(
    (error: unknown) => {
      if (error instanceof ContextError) throw error;
      return failAs('pool create failed')(error);
    },
  );
  warnSmallScm(context, created);
  context.io.print(createdText(created));
  return { json: createdJson(created) };
}

function checkSizeOptions(options: CreateOptions): void {
  const { size, scmSize, nvmeSize, metaSize, dataSize, nranks, tierRatio, ranks, memRatio } = options;
  const scm = scmSize !== undefined || nvmeSize !== undefined;
  const meta = metaSize !== undefined || dataSize !== undefined;
  if ([size !== undefined, scm, meta].filter(Boolean).length !== 1) throw new Error(BAD_COMBINATION);
  if (nvmeSize !== undefined && scmSize === undefined) throw new Error('--nvme-size may not be set without --scm-size');
  if (dataSize !== undefined && metaSize === undefined) throw new Error('--data-size may not be set without --meta-size');
  if (size !== undefined && 'percent' in size) {
    if (nranks !== undefined) throw new Error('--size=% may not be mixed with --nranks');
    if (tierRatio !== undefined) throw new Error('--size=% may not be mixed with --tier-ratio');
  }
  if (size !== undefined && nranks !== undefined && ranks !== undefined) throw new Error('--nranks may not be mixed with --ranks');
  if (size === undefined) {
    const flag = scm ? '--scm-size' : '--meta-size';
    if (nranks !== undefined) throw new Error(`${flag} may not be mixed with --nranks`);
    if (tierRatio !== undefined) throw new Error(`${flag} may not be mixed with --tier-ratio`);
    if (scm && memRatio !== undefined) throw new Error(`${flag} may not be mixed with --mem-ratio`);
  }
}

function planSize(options: CreateOptions): SizePlan {
  const { size } = options;
  if (size === undefined) return options.scmSize !== undefined ? planManual(options.scmSize, options.nvmeSize ?? 0n) : planMetadata(options);
  if ('percent' in size) {
    const notice = `Creating DAOS pool with ${size.percent}% of all storage`;
    return { notice, singleTier: false, percent: size.percent, ...(options.memRatio === undefined ? {} : { memRatio: options.memRatio }) };
  }
  const tierRatio = options.tierRatio ?? TIER_RATIO_DEFAULT;
  const ranks = options.nranks ? ` with ${options.nranks} ranks` : '';
  return {
    notice: `Creating DAOS pool with automatic storage allocation: ${formatBytes(size.bytes)} total, ${percentText(tierRatio[0] ?? 0)} storage tier ratio${ranks}`,
    singleTier: tierRatio.slice(1).every((share) => share === 0),
    totalBytes: size.bytes,
    tierRatio,
    rankCount: options.nranks ?? 0,
    ...(options.memRatio === undefined ? {} : { memRatio: options.memRatio }),
  };
}

function planManual(scm: bigint, nvme: bigint): SizePlan {
  if (scm === 0n) throw new Error('--scm-size must be larger than zero');
  const ratio = Number(scm) / Number(scm + nvme);
  return {
    notice:
      `Creating DAOS pool with manual per-engine storage allocation: ${formatBytes(scm)} SCM, ${formatBytes(nvme)} NVMe ` +
      `(${percentText(ratio)} storage tier ratio)`,
    singleTier: nvme === 0n,
    tierBytes: [scm, nvme],
  };
}

function planMetadata(options: CreateOptions): SizePlan {
  const meta = options.metaSize ?? 0n;
  const data = options.dataSize ?? 0n;
  if (meta === 0n) throw new Error('--meta-size must be larger than zero');
  const memRatio = options.memRatio ?? 1;
  const ratio = data === 0n ? 1 : Number(meta) / Number(data);
  return {
    notice:
      `Creating DAOS pool in MD-on-SSD mode with manual per-engine storage allocation: ${formatBytes(meta)} metadata, ` +
      `${formatBytes(data)} data (${percentText(ratio)} storage tier ratio) and ${percentText(memRatio)} memory-file:meta-blob size ratio`,
    singleTier: data === 0n,
    tierBytes: [meta, data],
    memRatio,
  };
}

/** Fills in what only the servers know: how much a share of the storage is. */
async function withShare(context: VerbContext, client: ControlClient, params: PoolCreateParams, plan: SizePlan): Promise<PoolCreateParams> {
  if (params.totalBytes === 0n) {
    throw new ContextError('failed to generate PoolCreate request', new Error('different tier ratios with no total size is not supported'));
  }
  if (plan.percent === undefined) return params;
  const tierBytes = await tierBytesOfShare(client, plan.percent / 100, params.ranks, params.memRatio, { signal: context.signal });
  return { ...params, tierBytes };
}

function tierShares(created: PoolCreateResp): number[] {
  const total = Number(created.tierBytes.reduce((sum, bytes) => sum + bytes, 0n));
  return created.tierBytes.map((bytes) => (total === 0 ? 0 : Number(bytes) / total));
}

function warnSmallScm(context: VerbContext, created: PoolCreateResp): void {
  const [share = 1] = tierShares(created);
  if (!created.mdOnSsdActive && share < SCM_SHARE_MIN) {
    context.io.notice(`SCM:NVMe ratio is less than ${percentText(SCM_SHARE_MIN)}, DAOS performance will suffer!`);
  }
}

function createdText(created: PoolCreateResp & { uuid: string }): string {
  const ranks = BigInt(created.tgtRanks.length);
  const total = created.tierBytes.reduce((sum, bytes) => sum + bytes, 0n) * ranks;
  const tier = (bytes: bigint): string => `${formatBytes(bytes * ranks)} (${formatBytes(bytes)} / rank)`;
  const [first = 0n, second = 0n] = created.tierBytes;
  return formatEntity(`Pool created with ${tierShares(created).map(percentText).join(',')} storage tier ratio`, [
    ['UUID', created.uuid],
    ['Service Leader', String(created.svcLdr)],
    ['Service Ranks', new RankSet(created.svcReps).toRangedString()],
    ['Storage Ranks', new RankSet(created.tgtRanks).toRangedString()],
    ['Total Size', formatBytes(total)],
    [created.mdOnSsdActive ? 'Metadata Storage' : 'Storage tier 0 (SCM)', tier(first)],
    [created.mdOnSsdActive ? 'Data Storage' : 'Storage tier 1 (NVMe)', tier(second)],
    ...(created.mdOnSsdActive ? ([['Memory File Size', tier(created.memFileBytes)]] as const) : []),
  ]);
}

function createdJson(created: PoolCreateResp & { uuid: string }): Record<string, unknown> {
  return {
    uuid: created.uuid,
    svc_ldr: created.svcLdr,
    svc_reps: created.svcReps,
    tgt_ranks: created.tgtRanks,
    tier_bytes: created.tierBytes,
    mem_file_bytes: created.memFileBytes,
    md_on_ssd_active: created.mdOnSsdActive,
  };
}
