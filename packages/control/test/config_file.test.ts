import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, loadConfig, parseConfig } from '../src/index.js';

const SCHEMA = z.strictObject({
  name: z.string().default('daos_server'),
  port: z.int().min(1).default(10001),
  engines: z.array(z.strictObject({ targets: z.int().min(1), log_file: z.string().optional() })).default([]),
});

function messageOf(text: string): string {
  try {
    parseConfig(text, '/etc/daos/x.yml', SCHEMA);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

describe('a configuration file', () => {
  it('fills in defaults; an empty file is an empty map', () => {
    expect(parseConfig('', 'x', SCHEMA)).toEqual({ name: 'daos_server', port: 10001, engines: [] });
    expect(parseConfig('# nothing\n', 'x', SCHEMA).port).toBe(10001);
  });

  it('names file, line and key of an unknown key', () => {
    expect(messageOf('name: a\nbogus_key: 1\n')).toBe(
      'failed to load config from /etc/daos/x.yml: line 2: key "bogus_key": unknown key',
    );
  });

  it('names an unknown key inside a list element', () => {
    expect(messageOf('name: a\nengines:\n- targets: 2\n- targets: 2\n  bogus: 1\n')).toBe(
      'failed to load config from /etc/daos/x.yml: line 5: key "engines[1].bogus": unknown key',
    );
  });

  it('names the line of a wrong type, of a value out of range, and the parent of a missing key', () => {
    expect(messageOf('port: abc\n')).toMatch(/x\.yml: line 1: key "port": invalid input: expected/);
    expect(messageOf('\nport: 0\n')).toMatch(/line 2: key "port": /);
    expect(messageOf('engines:\n- log_file: a\n')).toMatch(/line 2: key "engines\[0\]\.targets": /);
    expect(messageOf('engines:\n  targets: 1\n')).toMatch(/line 1: key "engines": invalid input: expected array/);
  });

  it('reports all problems in file order', () => {
    expect(messageOf('a: 1\nport: x\nb: 2\n')).toMatch(/line 1: key "a": unknown key; line 2: key "port": .*; line 3: key "b"/);
  });

  it('reports a syntax error and a key given twice with their line', () => {
    expect(messageOf('name: [a\nport: 1\n')).toMatch(/line \d+: /);
    expect(messageOf('port: 1\nname: a\nport: 2\n')).toMatch(/x\.yml: line 3: .*unique/);
    expect(messageOf('engines:\n\t- targets: 1\n')).toMatch(/line 2: .*[Tt]ab/);
  });

  it('tells a missing file from one that cannot be read', () => {
    const dir = mkdtempSync(join(tmpdir(), 'daos-config-'));
    try {
      expect(() => loadConfig(join(dir, 'none.yml'), SCHEMA)).toThrow(
        expect.objectContaining({ kind: 'missing', message: `failed to load config from ${dir}/none.yml: no such file` }),
      );
      expect(() => loadConfig(dir, SCHEMA)).toThrow(expect.objectContaining({ kind: 'unreadable' }));
      writeFileSync(join(dir, 'a.yml'), 'name: tank\n');
      expect(loadConfig(join(dir, 'a.yml'), SCHEMA).name).toBe('tank');
      writeFileSync(join(dir, 'big.yml'), '#'.repeat(1024 * 1024 + 1));
      expect(() => loadConfig(join(dir, 'big.yml'), SCHEMA)).toThrow(/more than 1048576/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
