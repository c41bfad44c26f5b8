import type { SetLogMasksReq, SetLogMasksResp } from '@daos/proto/ctl/server';

import { checkLogMask } from '../config/log_mask.js';
import type { ServerContext } from '../context.js';

/** Sets the log masks of every running engine; with `reset_masks` the configured ones come back. */
export async function setEngineLogMasks(
  context: ServerContext,
  request: SetLogMasksReq,
): Promise<SetLogMasksResp> {
  context.harness.requireStarted();
  checkLogMask(request.masks, (text) => new Error(text));
  const errors: string[] = [];
  for (const instance of context.harness.instances) {
    if (instance.state !== 'Ready') {
      errors.push(`instance ${instance.index}: not ready`);
      continue;
    }
    const masks = request.resetMasks ? instance.config.logMask || 'INFO' : request.masks;
    try {
      const complaints = await instance.requireClient().setLogMasks({ ...request, masks });
      errors.push(...complaints.map((text) => `instance ${instance.index}: ${text}`));
    } catch (error) {
      errors.push(`instance ${instance.index}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { status: 0, errors };
}
