import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

import { DaosError } from '@daos/common';
import { Fault } from '@daos/control';
import { LruMap } from '@daos/gurt';
import { userNames, type PeerCredentials, type UserNames } from '@daos/native';
import { encodeMessage } from '@daos/proto';
import { GetCredResp } from '@daos/proto/security/auth';
import { credentialSign, type AuthSys } from '@daos/security/credential';

import type { AgentConfig, MappedUser } from './config.js';

const CACHED_MAX = 1024;
/** A key is for its owner's eyes. */
const KEY_MODE_MAX = 0o400;

interface Cached {
  readonly response: Uint8Array;
  readonly untilMs: number;
}

/** Gives clients credentials of the user that the kernel says they run as. */
export class Credentials {
  private readonly cache = new LruMap<string, Cached>(CACHED_MAX);
  private readonly machineName = hostname().split('.')[0] ?? '';

  constructor(
    private readonly config: AgentConfig['credential_config'],
    /** Undefined: insecure mode. */
    private readonly key: KeyObject | undefined,
    private readonly lookUp: (uid: number, gid: number) => Promise<UserNames> = userNames,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** The encoded answer to a request for a credential: `auth.GetCredResp`. */
  async respond(peer: PeerCredentials): Promise<Uint8Array> {
    const id = `${peer.uid}:${peer.gid}`;
    const cached = this.cache.get(id);
    if (cached && cached.untilMs > this.nowMs()) return cached.response;
    const response = encodeMessage(GetCredResp, { status: 0, cred: credentialSign(await this.identity(peer), this.key) });
    const keepMs = this.config.cache_expiration;
    if (keepMs > 0) this.cache.set(id, { response, untilMs: this.nowMs() + keepMs });
    return response;
  }

  /** Forgets all that was made. */
  refresh(): void {
    this.cache.clear();
  }

  /**
   * Who a user is: by the system's databases, else by the configured map, else by number. Throws DER_MISC when the
   * databases cannot be asked.
   */
  private async identity(peer: PeerCredentials): Promise<AuthSys> {
    const names = await this.lookUp(peer.uid, peer.gid).catch((cause: unknown) => {
      throw new DaosError('MISC', `user ${peer.uid} cannot be looked up`, { cause });
    });
    const map = this.config.client_user_map;
    const mapped: MappedUser | undefined = names.user === undefined ? (map[String(peer.uid)] ?? map['default']) : undefined;
    const found = mapped ?? {
      user: names.user ?? String(peer.uid),
      group: names.group ?? String(peer.gid),
      groups: names.groups,
    };
    return {
      machineName: this.machineName,
      user: principal(found.user),
      group: principal(found.group),
      groups: found.groups.map(principal),
      securityContext: '',
    };
  }
}

function principal(name: string): string {
  return name.includes('@') ? name : `${name}@`;
}

/** The agent's private key. Throws fault 901 (missing), 902 (permissions) or 903 (not a key). */
export function loadSigningKey(path: string): KeyObject {
  let pem: Buffer;
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & ~KEY_MODE_MAX) !== 0) {
      throw keyFault(902, `${path} has insecure permissions 0${mode.toString(8)} (at most 0400)`, `chmod 0400 ${path}`);
    }
    pem = readFileSync(path);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw isMissing
      ? keyFault(901, `missing certificate file: ${path}`, 'create certificates, or allow insecure operation in transport_config')
      : keyFault(902, `certificate file cannot be read: ${path}`, 'check the permissions of the file');
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw keyFault(903, `not a private key: ${path}`, 'create the certificates anew');
  }
}

function keyFault(code: number, description: string, resolution: string): Fault {
  return new Fault({ domain: 'security', code, description, resolution });
}
