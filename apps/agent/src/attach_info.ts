import { DaosError, isDaosError } from '@daos/common';
import {
  CallTimeoutError,
  MsUnreachableError,
  findFault,
  getAttachInfo,
  isUninitialized,
  type ControlClient,
} from '@daos/control';
import type { GetAttachInfoResp } from '@daos/proto/mgmt/svc';

/** Clients wait 60 s for the agent. */
const FETCH_TIMEOUT_MS = 30_000;
/** An answer older than this is still given, but the next one is fetched meanwhile. */
const FRESH_MS = 10_000;
const MINUTE_MS = 60_000;
const FAULTS_INCOMPATIBLE = [616, 617, 603] as const;
const FAULTS_CERTIFICATE = [901, 902, 903] as const;
const FAULT_RPC_TIMEOUT = 510;

export interface AttachInfoCacheOptions {
  readonly disabled: boolean;
  /** Age in minutes from which an answer is not given any more; 0: never. */
  readonly expirationMinutes: number;
  readonly nowMs?: () => number;
}

/**
 * Where the engines are, as the management service last said. A cached answer costs a client nothing; so that it does
 * not stay wrong when engines come, go or move, an older one is renewed behind the caller's back.
 */
export class AttachInfoCache {
  private known: { readonly info: GetAttachInfoResp; readonly atMs: number } | undefined;
  private fetching: Promise<GetAttachInfoResp> | undefined;
  private readonly nowMs: () => number;

  constructor(
    private readonly client: ControlClient,
    private readonly options: AttachInfoCacheOptions,
    private readonly onRefreshFailure: (error: unknown) => void = () => undefined,
  ) {
    this.nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Throws what `attachStatus` understands. */
  async get(): Promise<GetAttachInfoResp> {
    const { known } = this;
    if (this.options.disabled || !known) return this.fetch();
    const ageMs = this.nowMs() - known.atMs;
    const { expirationMinutes } = this.options;
    if (expirationMinutes > 0 && ageMs >= expirationMinutes * MINUTE_MS) return this.fetch();
    if (ageMs >= FRESH_MS) this.fetch().catch(this.onRefreshFailure);
    return known.info;
  }

  /** Forgets what is known. */
  refresh(): void {
    this.known = undefined;
  }

  /** One question at a time, whoever asks. */
  private fetch(): Promise<GetAttachInfoResp> {
    this.fetching ??= getAttachInfo(this.client, { allRanks: true }, { timeoutMs: FETCH_TIMEOUT_MS })
      .then((info) => this.keep(info))
      .finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private keep(info: GetAttachInfoResp): GetAttachInfoResp {
    const { known } = this;
    if (known && known.info.dataVersion > info.dataVersion) return known.info;
    this.known = { info, atMs: this.nowMs() };
    return info;
  }
}

/** The status that tells a client why there is no attach info; undefined for failures that have none. */
export function attachStatus(error: unknown): DaosError | undefined {
  if (isDaosError(error)) return error;
  if (findFault(error, ...FAULTS_INCOMPATIBLE)) return new DaosError('CONTROL_INCOMPAT', undefined, { cause: error });
  if (findFault(error, ...FAULTS_CERTIFICATE)) return new DaosError('BAD_CERT', undefined, { cause: error });
  if (error instanceof MsUnreachableError) return new DaosError('UNREACH', undefined, { cause: error });
  if (isUninitialized(error)) return new DaosError('UNINIT', undefined, { cause: error });
  if (error instanceof CallTimeoutError || findFault(error, FAULT_RPC_TIMEOUT)) {
    return new DaosError('TIMEDOUT', undefined, { cause: error });
  }
  return undefined;
}
