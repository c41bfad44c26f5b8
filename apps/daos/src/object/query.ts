import { DaosError, type ObjectId } from '@daos/common';
import { ContextError } from '@daos/control';
import { UsageError, type VerbContext, type VerbResult } from '@daos/control/cli';
import { layoutJson, layoutText } from '@daos/placement';

import { containerTarget, withContainer } from '../session.js';

const U64_MAX = (1n << 64n) - 1n;

/** `daos object query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const text = target.rest[0] ?? context.options.oid;
  if (typeof text !== 'string') throw new UsageError('OID is a required argument');
  const oid = parseOid(text);
  return withContainer(context, target, 'ro', async (container) => {
    const layout = await Promise.resolve()
      .then(async () => {
        const object = container.objOpen(oid, { mode: 'ro' });
        try {
          return object.layout();
        } finally {
          await object.close();
        }
      })
      .catch((error: unknown) => {
        throw new ContextError(`failed to retrieve layout for object ${text}`, error);
      });
    if (layout.groups.length === 0) throw new ContextError(`failed to retrieve layout for object ${text}`, new DaosError('INVAL'));
    const summary = { ...layout, oid: text };
    context.io.print(layoutText(summary));
    return { json: layoutJson(summary) };
  });
}

function parseOid(text: string): ObjectId {
  const match = /^(\d{1,20})\.(\d{1,20})$/.exec(text);
  const oid = match && { hi: BigInt(match[1] ?? 0), lo: BigInt(match[2] ?? 0) };
  if (!oid || oid.hi > U64_MAX || oid.lo > U64_MAX) throw new UsageError(`failed to parse ${JSON.stringify(text)} as OID (expected HI.LO)`);
  return oid;
}
