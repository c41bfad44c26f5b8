import { ResponseStatus, type ResponseState } from '@daos/proto/ctl/common';
import type { StorageFormatReq, StorageFormatResp } from '@daos/proto/ctl/storage';
import type { ScmMountResult } from '@daos/proto/ctl/storage_scm';
import type { NvmeControllerResult } from '@daos/proto/ctl/storage_nvme';

import type { ServerContext } from '../context.js';
import { faultStorageAlreadyFormatted } from '../faults.js';
import type { EngineInstance } from '../harness/instance.js';
import { STOP_TIMEOUT_MS } from '../harness/harness.js';

const READY_FOR_FORMAT_TIMEOUT_MS = 30_000;
/** Address of a result that belongs to no device. */
const NO_ADDRESS = '';

interface InstanceResult {
  readonly mount: ScmMountResult;
  readonly devices: readonly NvmeControllerResult[];
}

/** Formats the storage of this host's engines, each for itself: a failure of one is in its result only. */
export async function storageFormat(
  context: ServerContext,
  request: StorageFormatReq,
): Promise<StorageFormatResp> {
  context.harness.requireStarted();
  const { instances } = context.harness;
  if (request.replace && request.reformat) throw new Error('replace and reformat cannot both be asked for');
  if (request.replace) {
    throw new Error('replace is not supported yet: format with --force and the rank is a new one');
  }
  const results = await Promise.all(
    instances.map((instance) => formatInstance(context, instance, request.reformat)),
  );
  return { mrets: results.map((result) => result.mount), crets: results.flatMap((result) => result.devices) };
}

async function formatInstance(
  context: ServerContext,
  instance: EngineInstance,
  reformat: boolean,
): Promise<InstanceResult> {
  const { storage } = instance;
  const mount = (state: ResponseState): ScmMountResult => ({
    mntpoint: storage.mount,
    state,
    instanceidx: instance.index,
  });
  try {
    if (storage.formatNeed() === 'none' && !reformat) {
      const fault = faultStorageAlreadyFormatted(storage.mount);
      return {
        mount: mount(failure(ResponseStatus.CTL_ERR_SCM, fault.message, fault.resolution)),
        devices: [],
      };
    }
    await becomeFormattable(context, instance);
    const started = performance.now();
    context.log.info(
      `Instance ${instance.index}: starting format of SCM (${instance.config.scm.storageClass}:${storage.mount})`,
    );
    await storage.formatScm(reformat);
    context.log.info(
      `Instance ${instance.index}: finished format of SCM (${instance.config.scm.storageClass}:${storage.mount})`,
    );
    const devices = await formatDevices(instance);
    const elapsed = (performance.now() - started).toFixed(1);
    context.log.info(
      `Format of storage for DAOS I/O Engine instance ${instance.index} (reformat: ${reformat}): ${elapsed}ms`,
    );
    if (devices.every((device) => device.state?.status === ResponseStatus.CTL_SUCCESS)) {
      instance.markStorageReady();
    }
    return { mount: mount(SUCCESS), devices };
  } catch (error) {
    context.log.error(
      `Instance ${instance.index}: format failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    return { mount: mount(failureOf(ResponseStatus.CTL_ERR_SCM, error)), devices: [] };
  }
}

/** A running engine is stopped and started again, so that it waits for the format. */
async function becomeFormattable(context: ServerContext, instance: EngineInstance): Promise<void> {
  if (instance.state === 'AwaitFormat') return;
  // The system database goes with the storage it lives on.
  if (instance.index === 0) await context.ms.close();
  await instance.stop('SIGKILL', STOP_TIMEOUT_MS);
  await instance.storage.invalidate();
  instance.start();
  if (!(await instance.waitState(['AwaitFormat'], READY_FOR_FORMAT_TIMEOUT_MS))) {
    throw new Error('the instance does not wait for a format');
  }
}

async function formatDevices(instance: EngineInstance): Promise<NvmeControllerResult[]> {
  const { storage } = instance;
  if (storage.dataFolder === undefined) {
    return [{ pciAddr: NO_ADDRESS, state: { ...SUCCESS, info: 'no block devices configured' }, roleBits: 0 }];
  }
  try {
    await storage.formatData();
    return [{ pciAddr: storage.dataFolder, state: SUCCESS, roleBits: 0 }];
  } catch (error) {
    return [{
      pciAddr: storage.dataFolder,
      state: failureOf(ResponseStatus.CTL_ERR_NVME, error),
      roleBits: 0,
    }];
  }
}

const SUCCESS: ResponseState = { status: ResponseStatus.CTL_SUCCESS, error: '', info: '' };

function failure(status: ResponseStatus, error: string, info: string): ResponseState {
  return { status, error, info };
}

function failureOf(status: ResponseStatus, error: unknown): ResponseState {
  const resolution = (error as { resolution?: unknown }).resolution;
  return failure(
    status,
    error instanceof Error ? error.message : String(error),
    typeof resolution === 'string' ? resolution : '',
  );
}
