import { unaryMethod } from '@daos/proto';
import { StorageFormatReq, StorageFormatResp, StorageScanReq, StorageScanResp } from '@daos/proto/ctl/storage';

import { faultFormatRunningSystem } from '../client_faults.js';
import type { HostResults } from '../rpc/host_request.js';
import { isUnavailable, isUninitialized } from '../rpc/ms_request.js';
import { NotReplicaError } from '../wire_error.js';
import type { ControlClient, ControlOptions } from './control_client.js';
import { systemQuery } from './system.js';

const STORAGE_SCAN = unaryMethod('/ctl.CtlSvc/StorageScan', StorageScanReq, StorageScanResp);
const STORAGE_FORMAT = unaryMethod('/ctl.CtlSvc/StorageFormat', StorageFormatReq, StorageFormatResp);
/** Asking whether a system runs must not hold up the format of one that does not. */
const RUNNING_CHECK_TIMEOUT_MS = 30_000;

export interface StorageScanOptions extends ControlOptions {
  /** Hosts to ask; those of the configuration when absent. */
  readonly hosts?: readonly string[] | undefined;
  /** Adds used and free space. */
  readonly usage?: boolean;
  /** Adds device health. */
  readonly health?: boolean;
}

/** Storage hardware (or its file-backed stand-in) of each host. */
export async function storageScan(client: ControlClient, scan: StorageScanOptions = {}): Promise<HostResults<StorageScanResp>> {
  const message = StorageScanReq.fromPartial({
    nvme: { Health: scan.health ?? false, Meta: scan.usage ?? false, Basic: !scan.health && !scan.usage },
    scm: { usage: scan.usage ?? false },
  });
  return client.callHosts(STORAGE_SCAN, message, scan.hosts, scan);
}

export interface StorageFormatOptions extends ControlOptions {
  readonly hosts?: readonly string[] | undefined;
  /** Formats again what is formatted. Destroys data. */
  readonly reformat?: boolean;
  /** Lets the engines take over the ranks that they had. */
  readonly replace?: boolean;
}

/** Formats the storage of each host. Throws fault 509 when the system runs, unless `reformat` or `replace` is given. */
export async function storageFormat(client: ControlClient, format: StorageFormatOptions = {}): Promise<HostResults<StorageFormatResp>> {
  if (!format.reformat && !format.replace) await refuseRunningSystem(client, format);
  const message = StorageFormatReq.fromPartial({
    nvme: {},
    scm: {},
    reformat: format.reformat ?? false,
    replace: format.replace ?? false,
  });
  return client.callHosts(STORAGE_FORMAT, message, format.hosts, format);
}

async function refuseRunningSystem(client: ControlClient, options: ControlOptions): Promise<void> {
  try {
    const found = await systemQuery(client, { failOnUnavailable: true }, { signal: options.signal, timeoutMs: RUNNING_CHECK_TIMEOUT_MS });
    if (found.members.length > 0) throw faultFormatRunningSystem();
  } catch (error) {
    if (isUninitialized(error) || isUnavailable(error) || error instanceof NotReplicaError) return;
    throw error;
  }
}
