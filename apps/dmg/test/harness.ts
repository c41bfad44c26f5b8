import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RpcTransport } from '@daos/control';
import { runCli } from '@daos/control/cli';

import { PROGRAM } from '../src/program.js';
import { useTransport } from '../src/session.js';

type Handler = (request: never, address: string) => unknown;

/** Answers by method name; an `Error` is thrown. */
export type Answers = Readonly<Record<string, Handler | object | Error>>;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Method names in the order of the calls. */
  readonly calls: readonly string[];
}

let folder = '';

/** Makes a configuration that names one server. */
export function setUp(): void {
  folder = mkdtempSync(join(tmpdir(), 'daos-dmg-'));
  writeFileSync(join(folder, 'daos_control.yml'), 'hostlist: ["127.0.0.1"]\ntransport_config:\n  allow_insecure: true\n');
}

export function tearDown(): void {
  rmSync(folder, { recursive: true });
}

export function scratch(name: string): string {
  return join(folder, name);
}

/** Runs dmg against servers that answer as given. */
export async function dmg(answers: Answers, ...argv: string[]): Promise<Ran> {
  const calls: string[] = [];
  const transport: RpcTransport = {
    call: async <Req, Resp>(address: string, method: { path: string; requestSerialize: (request: Req) => Buffer }, request: Req) => {
      const name = method.path.split('/').at(-1) ?? '';
      calls.push(name);
      // What cannot be encoded would not reach a server either.
      method.requestSerialize(request);
      const answer = answers[name];
      const found: unknown = typeof answer === 'function' ? await (answer as (request: Req, address: string) => unknown)(request, address) : answer;
      if (found === undefined) throw new Error(`no answer for ${name}`);
      if (found instanceof Error) throw found;
      return found as Resp;
    },
    close: () => undefined,
  };
  useTransport(() => transport);
  let out = '';
  let err = '';
  const streams = { stdout: { write: (text: string) => (out += text) }, stderr: { write: (text: string) => (err += text) } };
  const code = await runCli(PROGRAM, ['-o', join(folder, 'daos_control.yml'), ...argv], streams);
  return { code, out: out.replaceAll(/ +$/gm, ''), err: err.replaceAll(/ +$/gm, ''), calls };
}
