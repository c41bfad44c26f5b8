import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { dcSecRequestCredential } from '@daos/security/dc';

import { withDefaultVerb } from '../src/program.js';

const BIN = fileURLToPath(new URL('../../bin/daos_agent.mjs', import.meta.url));

let dir: string;
let config: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agentproc-'));
  config = join(dir, 'agent.yml');
  writeFileSync(config, `access_points: ['127.0.0.1:1']\nruntime_dir: ${dir}/run\nlog_file: ${dir}/agent.log\ntransport_config: {allow_insecure: true}\n`);
});
afterEach(() => rmSync(dir, { recursive: true }));

function run(args: string[], onOutput: (text: string, pid: number) => void = () => {}): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args]);
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      onOutput(out, child.pid!);
    });
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('daos_agent', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says that it is ready, serves, and ends in order at %s', async (signal) => {
    let credential: Promise<Uint8Array> | undefined;
    const result = await run(['-o', config], (out, pid) => {
      if (!out.includes('listening on') || credential) return;
      credential = dcSecRequestCredential(join(dir, 'run', 'daos_agent.sock')).finally(() => process.kill(pid, signal));
    });
    expect((await credential)?.length).toBeGreaterThan(50);
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toMatch(/^daos_agent logging to file .*agent.log\nDAOS Agent v\S+ \(pid \d+\) listening on .*daos_agent.sock\n$/);
    expect(existsSync(join(dir, 'run', 'daos_agent.sock'))).toBe(false);
  });

  it('fails in one line for wrong input', async () => {
    expect(await run(['-o', join(dir, 'none.yml')])).toMatchObject({ code: 1, err: expect.stringContaining('no such file or directory') });
    expect(await run(['start', '--bogus'])).toMatchObject({ code: 1, err: "ERROR: daos_agent: unknown flag `bogus'\n" });
    const long = await run(['-o', config, '-s', join(dir, 'x'.repeat(120))]);
    expect(long.code).toBe(1);
    expect(long.err.trim().split('\n')).toHaveLength(1);
    expect(long.err).toContain('at most 107');
    const unreachable = await run(['-o', config, 'dump-attachinfo']);
    expect(unreachable).toMatchObject({ code: 1, err: expect.stringContaining('code = 506') });
  });

  it('prints its version, as text and as JSON', async () => {
    expect((await run(['version'])).out).toMatch(/^DAOS Agent version \d+\.\d+/);
    expect(JSON.parse((await run(['version', '-j'])).out)).toMatchObject({ response: { name: 'DAOS Agent' }, error: null, status: 0 });
  });

  it('starts when no verb is given, whatever the options', () => {
    expect(withDefaultVerb([])).toEqual(['start']);
    expect(withDefaultVerb(['-o', 'start', '-i'])).toEqual(['-o', 'start', '-i', 'start']);
    expect(withDefaultVerb(['--config-path=x'])).toEqual(['--config-path=x', 'start']);
    expect(withDefaultVerb(['-i', 'version'])).toEqual(['-i', 'version']);
    expect(withDefaultVerb(['-h'])).toEqual(['-h']);
  });
});
