import { Fault } from './fault.js';

/** Numbers of the faults of domain `client`. */
export const ClientFault = {
  UNKNOWN: 500,
  BAD_CONTROL_PORT: 501,
  BAD_ACCESS_POINTS: 502,
  EMPTY_HOST_LIST: 503,
  BAD_HOST: 504,
  NO_ROUTE: 505,
  REFUSED: 506,
  CLOSED: 507,
  CONNECT_TIMEOUT: 508,
  FORMAT_RUNNING_SYSTEM: 509,
  RPC_TIMEOUT: 510,
} as const;

/** Connection failures that may pass when tried again. */
export const RETRYABLE_CONNECTION_FAULTS = [ClientFault.REFUSED, ClientFault.CLOSED, ClientFault.CONNECT_TIMEOUT] as const;
/** Every failure to reach a server. */
export const CONNECTION_FAULTS = [ClientFault.BAD_HOST, ClientFault.NO_ROUTE, ...RETRYABLE_CONNECTION_FAULTS] as const;

function clientFault(code: number, description: string, resolution: string, cause?: unknown): Fault {
  return new Fault({ domain: 'client', code, description, resolution }, { cause });
}

export function faultBadControlPort(): Fault {
  return clientFault(
    ClientFault.BAD_CONTROL_PORT,
    'invalid control port in configuration',
    "specify a positive non-zero network port in configuration ('port' parameter)",
  );
}

export function faultEmptyHostList(): Fault {
  return clientFault(
    ClientFault.EMPTY_HOST_LIST,
    'empty hostlist in configuration',
    "specify a non-empty list of DAOS server addresses in configuration ('hostlist' parameter)",
  );
}

export function faultBadHost(address: string, cause?: unknown): Fault {
  return clientFault(ClientFault.BAD_HOST, `the server address ${address} could not be resolved`, 'verify that the address is correct', cause);
}

export function faultNoRoute(address: string, cause?: unknown): Fault {
  return clientFault(ClientFault.NO_ROUTE, `the server at ${address} could not be reached`, 'verify network connectivity', cause);
}

export function faultRefused(address: string, cause?: unknown): Fault {
  return clientFault(ClientFault.REFUSED, `the server at ${address} refused the connection`, '', cause);
}

export function faultClosed(address: string, cause?: unknown): Fault {
  return clientFault(ClientFault.CLOSED, `the server at ${address} closed the connection without accepting a request`, 'retry the request', cause);
}

export function faultConnectTimeout(address: string, cause?: unknown): Fault {
  return clientFault(ClientFault.CONNECT_TIMEOUT, `the connection to the server at ${address} timed out`, 'retry the request', cause);
}

export function faultFormatRunningSystem(): Fault {
  return clientFault(
    ClientFault.FORMAT_RUNNING_SYSTEM,
    'storage format invoked on a running system',
    'stop and erase the system, then retry the format operation',
  );
}

/** `request` names the message, `after` is the time that was allowed, e.g. `5m0s`. */
export function faultRpcTimeout(request: string, after: string): Fault {
  return clientFault(
    ClientFault.RPC_TIMEOUT,
    `the *control.${request} request timed out after ${after}`,
    'retry the request or check server logs for more information',
  );
}

/** Fault for a certificate problem found while connecting. */
export function faultInvalidCertificate(what: string, cause?: unknown): Fault {
  return new Fault(
    { domain: 'security', code: 903, description: `certificate is not valid: ${what}`, resolution: 'verify the certificates of both sides and their dates' },
    { cause },
  );
}

export function faultMissingCertificate(path: string, cause?: unknown): Fault {
  return new Fault(
    {
      domain: 'security',
      code: 901,
      description: `certificates are enabled, but ${path} was not found`,
      resolution: 'refer to the System Deployment section of the DAOS Admin Guide for information about certificates',
    },
    { cause },
  );
}

export function faultUnreadableCertificate(path: string, cause?: unknown): Fault {
  return new Fault(
    { domain: 'security', code: 902, description: `unable to read ${path}`, resolution: `change the permissions of ${path} so that this user can read it` },
    { cause },
  );
}
