import { existsSync, writeFileSync } from 'node:fs';
import { poolDeleteAcl, poolGetAcl, poolOverwriteAcl, poolUpdateAcl, type ControlClient } from '@daos/control';
import { VerbFailure, type VerbContext, type VerbResult } from '@daos/control/cli';
import type { AccessControlList } from '@daos/proto/mgmt/acl';

import { SetupFailure, failAs, poolArgument, withControl } from '../session.js';
import { fileFailure, readAclFile } from './acl_file.js';
import { formatAcl } from './acl_text.js';

const EMPTY_JSON = { ACL: { entries: null, owner_user: '', owner_group: '' } };

type AclWork = (client: ControlClient, id: string) => Promise<AccessControlList>;

/** `dmg pool get-acl`. */
export async function runGet(context: VerbContext): Promise<VerbResult> {
  const id = poolArgument(context);
  const acl = await callAcl(context, 'get', id, (client) => poolGetAcl(client, id));
  const text = formatAcl(acl, context.options.verbose === true);
  const { outfile } = context.options;
  if (typeof outfile === 'string') {
    writeOutput(outfile, text, context.options.force === true);
    context.io.print(`Wrote ACL to output file: ${outfile}\n`);
  } else context.io.print(text);
  return { json: aclJson(acl) };
}

/** `dmg pool overwrite-acl`. */
export async function runOverwrite(context: VerbContext): Promise<VerbResult> {
  const entries = readAclFile(String(context.options.aclFile));
  return changeAcl(context, 'overwrite', (client, id) => poolOverwriteAcl(client, id, entries));
}

/** `dmg pool update-acl`. */
export async function runUpdate(context: VerbContext): Promise<VerbResult> {
  const { aclFile, entry } = context.options;
  if ((typeof aclFile === 'string') === (typeof entry === 'string')) {
    throw new Error('either ACL file or entry parameter is required');
  }
  const entries = typeof aclFile === 'string' ? readAclFile(aclFile) : [String(entry)];
  return changeAcl(context, 'update', (client, id) => poolUpdateAcl(client, id, entries));
}

/** `dmg pool delete-acl`. */
export async function runDelete(context: VerbContext): Promise<VerbResult> {
  const principal = String(context.options.principal);
  return changeAcl(context, 'delete', (client, id) => poolDeleteAcl(client, id, principal));
}

async function changeAcl(context: VerbContext, verb: string, work: AclWork): Promise<VerbResult> {
  const id = poolArgument(context);
  const acl = await callAcl(context, verb, id, work);
  context.io.print(`Pool-${verb}-ACL command succeeded, ID: ${id}\n${formatAcl(acl, false)}`);
  return { json: aclJson(acl) };
}

async function callAcl(context: VerbContext, verb: string, id: string, work: AclWork): Promise<AccessControlList> {
  try {
    return await withControl(context, (client) => work(client, id));
  } catch (error) {
    // JSON output shows an empty list and the bare failure.
    if (context.json && !(error instanceof SetupFailure)) throw new VerbFailure(error, EMPTY_JSON);
    return failAs(`Pool-${verb}-ACL command failed`)(error);
  }
}

function writeOutput(path: string, text: string, overwrite: boolean): void {
  if (!overwrite && existsSync(path)) throw new Error(`file already exists: ${path}`);
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Error(`open ${path}: ${fileFailure(error)}`, { cause: error });
  }
}

function aclJson(acl: AccessControlList): Record<string, unknown> {
  return { ACL: { entries: acl.entries.length === 0 ? null : acl.entries, owner_user: acl.ownerUser, owner_group: acl.ownerGroup } };
}
