import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** A principal as access control lists name it: `name` becomes `name@`. Throws for anything else than `name[@domain]`. */
export function principal(name: string): string {
  if (!/^[^@\s:]+(@[^@\s:]*)?$/.test(name)) throw new Error(`invalid ACL principal ${JSON.stringify(name)}`);
  return name.includes('@') ? name : `${name}@`;
}

/** Who runs this program, as owner and owner group of what it creates. */
export function currentOwner(): { user: string; group: string } {
  const { username, gid } = userInfo();
  return { user: principal(username), group: principal(groupName(gid)) };
}

function groupName(gid: number): string {
  const line = readGroups().find((fields) => fields[2] === String(gid));
  return line?.[0] ?? String(gid);
}

function readGroups(): string[][] {
  try {
    return readFileSync('/etc/group', 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    // A host without the file still has a group number, which names the group then.
    return [];
  }
}
