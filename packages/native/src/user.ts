import { addon, type UserNames } from './addon.js';

/**
 * Names of a user and of the groups that it is in, `gid` being its primary one, from the system's databases. Rejects
 * when they cannot be asked.
 */
export function userNames(uid: number, gid: number): Promise<UserNames> {
  return addon().userNames(uid, gid);
}
