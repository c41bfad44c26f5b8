import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const VECTORS = join(ROOT, 'tests', 'vectors');

interface Run {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

function check(dir: string): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/vectors.mjs', dir, '--no-build'], { cwd: ROOT, encoding: 'utf8' });
  return { status, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

describe('npm run vectors', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vectors-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  const write = (name: string, content: string): void => writeFileSync(join(dir, name), content);

  it('passes all recorded families, one line each', () => {
    const { status, lines } = check(VECTORS);
    const families = readdirSync(VECTORS).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const reported = lines.filter((line) => /^[a-z-]+: /.test(line));
    expect(reported.map((line) => line.split(':')[0]).sort()).toEqual(families.sort());
    for (const line of reported) expect(line).toMatch(/: \d+ passed, 0 failed$|: not checked, the erasure code does not exist yet$/);
    expect(status).toBe(0);
  }, 60_000);

  it('fails, and tells what differs, when one value of one case is another', () => {
    const data = JSON.parse(readFileSync(join(VECTORS, 'hashing.json'), 'utf8')) as { cases: { fn: string; bucket?: number }[] };
    const one = data.cases.find(({ fn }) => fn === 'jump');
    if (one) one.bucket = (one.bucket ?? 0) + 1;
    write('hashing.json', JSON.stringify(data));
    const { status, lines, stderr } = check(dir);
    expect(status).toBe(1);
    expect(lines.at(-1)).toBe(`hashing: ${data.cases.length - 1} passed, 1 failed`);
    expect(stderr).toMatch(/hashing: case \d+ .*recorded .*computed/);
  });

  it('names families that nothing can be checked against, without failing', () => {
    write('tea-leaves.json', '{"cases":[]}');
    const { status, lines } = check(dir);
    expect([status, lines.at(-1)]).toEqual([0, 'tea-leaves: not checked, unknown family']);
  });

  it('fails with one clear line for a file that is damaged, and checks the others', () => {
    write('acl.json', '{"cases":[');
    write('hlc.json', '{"cases":[{"fn":"nsec2hlc","nsec":"1","hlc":"16"}]}');
    write('placement.json', '{"note":"no cases"}');
    const { status, lines, stderr } = check(dir);
    expect(status).toBe(1);
    expect(lines.at(-1)).toBe('hlc: 1 passed, 0 failed');
    expect(stderr).toMatch(/^acl: .*acl\.json is not a file of acl vectors: /m);
    expect(stderr).toMatch(/^placement: .*it has no list "cases"$/m);
  });

  it('says what is wrong with the folder', () => {
    expect(check(join(dir, 'nothing')).stderr).toContain('is not a folder');
    expect(check(dir).stderr).toContain('no vector files');
  });
});
