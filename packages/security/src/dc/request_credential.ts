import { DaosError, isDaosError } from '@daos/common';
import { DrpcModule, SecAgentMethod, drpcCall } from '@daos/drpc';
import { GetCredResp } from '@daos/proto/security/auth';

import { credentialEncode } from '../auth.js';

const TIMEOUT_MS = 60_000;

/**
 * Asks the agent for a credential of this process's user, as the bytes that pool connect carries. The agent learns
 * who asks from the kernel. Throws DER_AGENT_COMM (no agent at that socket), DER_PROTO (an answer that is no
 * credential), the agent's own error (DER_BAD_CERT, DER_MISC for an unknown user), DER_TIMEDOUT, DER_CANCELED.
 */
export async function dcSecRequestCredential(
  agentSocketPath: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  const { timeoutMs = TIMEOUT_MS, signal } = options;
  let body: Uint8Array;
  try {
    body = await drpcCall(agentSocketPath, DrpcModule.SEC_AGENT, SecAgentMethod.REQUEST_CREDS, new Uint8Array(0), { timeoutMs, signal });
  } catch (error) {
    if (!isDaosError(error, 'UNREACH', 'IO', 'NO_PERM')) throw error;
    const hint = error.der === 'UNREACH' ? '; is daos_agent running?' : '';
    throw new DaosError('AGENT_COMM', `${error.detail}${hint}`, { cause: error });
  }
  let response: GetCredResp;
  try {
    response = GetCredResp.decode(body);
  } catch (error) {
    throw new DaosError('PROTO', `the agent at ${agentSocketPath} answered no credential`, { cause: error });
  }
  if (response.status !== 0) throw DaosError.fromStatus(response.status, `the agent at ${agentSocketPath} gives no credential`);
  const { cred } = response;
  if (!cred?.token || !cred.verifier) throw new DaosError('PROTO', `the agent at ${agentSocketPath} answered an incomplete credential`);
  return credentialEncode(cred);
}
