import { spawnSync } from 'node:child_process';

// A process of its own, in which garbage can be collected on demand.
const PROGRAM = `
import { BufferPool } from '@daos/bio';
const pool = new BufferPool(8 << 20);
let kept;
function forget() {
  kept = pool.tryTake(8 << 20).bytes.fill(7);
}
forget();
const before = pool.tryTake(8 << 20);
let waited = false;
const later = pool.take(8 << 20).then((lease) => { waited = true; return lease; });
for (let i = 0; i < 50 && !waited; i++) { gc(); await new Promise((r) => setTimeout(r, 10)); }
const lease = await later;
lease.bytes.fill(1);
console.log(JSON.stringify({ before: before === undefined, kept: kept.every((b) => b === 7), ...pool.statistics }));
`;

it('gives the place of a forgotten lease to the next who waits, but never its bytes to anybody', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', PROGRAM], { encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ before: true, kept: true, lentBytes: 8 << 20, idleBytes: 0, made: 2, forgotten: 1 });
});
