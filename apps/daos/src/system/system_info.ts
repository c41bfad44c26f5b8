import type { Daos } from '@daos/client';
import { DaosError } from '@daos/common';

/** What the agent told this client about the system. */
export interface SystemInfo {
  readonly name: string;
  readonly provider: string;
  readonly agentPath: string;
  readonly serverVersion: string;
  readonly rankUris: readonly { readonly rank: number; readonly uri: string }[];
  /** Ranks on hosts that run the management service. */
  readonly accessPointRanks: readonly number[];
}

/** Throws DER_NOSYS when the library does not tell. */
export function systemInfoOf(daos: Daos): SystemInfo {
  const source = daos as Daos & { systemInfo?: () => SystemInfo };
  if (!source.systemInfo) throw new DaosError('NOSYS', 'the client library does not tell about the system');
  return source.systemInfo();
}
