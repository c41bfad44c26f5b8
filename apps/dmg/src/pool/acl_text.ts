import type { AccessControlList } from '@daos/proto/mgmt/acl';

const TYPES: Record<string, string> = { A: 'Allow', U: 'Audit', L: 'Alarm' };
const FLAGS: Record<string, string> = { G: 'Group', S: 'Access-Success', F: 'Access-Failure', P: 'Pool-Inherit' };
const PERMISSIONS: Record<string, string> = {
  r: 'Read',
  w: 'Write',
  c: 'Create-Cont',
  d: 'Delete-Cont',
  t: 'Get-Prop',
  T: 'Set-Prop',
  a: 'Get-ACL',
  A: 'Set-ACL',
  o: 'Set-Owner',
};
const PRINCIPALS: Record<string, string> = { 'OWNER@': 'Owner', 'GROUP@': 'Owner-Group', 'EVERYONE@': 'Everyone' };

/** Text of an access control list, readable as an input file. `verbose` puts a plain-word line above each entry. */
export function formatAcl(acl: AccessControlList, verbose: boolean): string {
  const lines: string[] = [];
  if (acl.ownerUser !== '') lines.push(`# Owner: ${acl.ownerUser}`);
  if (acl.ownerGroup !== '') lines.push(`# Owner Group: ${acl.ownerGroup}`);
  lines.push('# Entries:');
  if (acl.entries.length === 0) lines.push('#   None');
  for (const entry of acl.entries) {
    if (verbose) lines.push(`# ${explain(entry)}`);
    lines.push(entry);
  }
  return `${lines.join('\n')}\n`;
}

function explain(entry: string): string {
  const [types = '', flags = '', principal = '', permissions = ''] = entry.split(':');
  const words = (letters: string, names: Record<string, string>): string =>
    [...letters].map((letter) => names[letter] ?? letter).join('/');
  const access = permissions === '' ? 'None' : words(permissions, PERMISSIONS);
  return `${words(types, TYPES)}:${words(flags, FLAGS)}:${PRINCIPALS[principal] ?? principal}:${access}`;
}
