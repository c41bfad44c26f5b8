import type { UnaryMethod } from '@daos/proto';

import { HostList } from '../host_list.js';
import { describeError } from '../error_text.js';
import { Fault } from '../fault.js';
import type { RpcTransport } from './transport.js';

/** Answers of a request that went to every host by itself. */
export interface HostResults<Resp> {
  readonly answers: readonly { readonly host: string; readonly response: Resp }[];
  readonly errors: HostErrors;
}

/** Failures of hosts, by text: hosts with the same failure are one entry. */
export class HostErrors {
  private readonly byText = new Map<string, { hosts: string[]; short: string }>();

  add(host: string, error: unknown): void {
    const text = describeError(error);
    const entry = this.byText.get(text);
    if (entry) entry.hosts.push(host);
    else this.byText.set(text, { hosts: [host], short: error instanceof Fault ? error.description : text });
  }

  get isEmpty(): boolean {
    return this.byText.size === 0;
  }

  get hostCount(): number {
    return [...this.byText.values()].reduce((sum, entry) => sum + entry.hosts.length, 0);
  }

  /** Per failure its full text, a short one without code and domain, and the hosts. */
  entries(): { readonly text: string; readonly short: string; readonly hosts: HostList }[] {
    return [...this.byText].map(([text, entry]) => ({ text, short: entry.short, hosts: HostList.of(entry.hosts).uniq() }));
  }

  /** Text to ranged hosts, as JSON output shows it. */
  toJson(): Record<string, string> {
    return Object.fromEntries(this.entries().map((entry) => [entry.text, entry.hosts.toString()]));
  }
}

/** Sends one request to every host at once and collects all answers. Never rejects because of a host. */
export async function invokeHosts<Req, Resp>(
  transport: RpcTransport,
  hosts: readonly string[],
  method: UnaryMethod<Req, Resp>,
  message: Req,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<HostResults<Resp>> {
  const results = await Promise.allSettled(hosts.map((host) => transport.call(host, method, message, options)));
  options.signal?.throwIfAborted();
  const answers: { host: string; response: Resp }[] = [];
  const errors = new HostErrors();
  results.forEach((result, index) => {
    const host = hosts[index] ?? '';
    if (result.status === 'fulfilled') answers.push({ host, response: result.value });
    else errors.add(host, result.reason);
  });
  return { answers, errors };
}
