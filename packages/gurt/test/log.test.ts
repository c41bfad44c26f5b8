import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { configureLogging, getLogger, LogLevel, LogMask, logLevelOf } from '../src/index.js';
import { parseLogSize } from '../src/log_writer.js';

const dir = mkdtempSync(join(tmpdir(), 'daos-log-'));
afterAll(() => rmSync(dir, { recursive: true }));

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

describe('the log', () => {
  it('writes DAOS lines', () => {
    const file = join(dir, 'lines.log');
    configureLogging({ mask: 'INFO', file, threadId: 3 });
    getLogger('vos').info('opened', { pool: 'tank', bytes: 5n });
    getLogger('rdb').error('two\nlines');
    getLogger('container').debug('not shown');
    const [first, second, ...rest] = linesOf(file);
    const host = hostname().split('.')[0];
    expect(first).toMatch(new RegExp(
      `^INFO \\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6} ${host} DAOS\\[${process.pid}/3/0\\] vos  opened pool=tank bytes=5$`));
    expect(second).toMatch(/^ERR {2}.* rdb {2}two \| lines$/);
    expect(rest).toEqual([]);
  });

  it('cuts a line that is too long and ends it', () => {
    const file = join(dir, 'long.log');
    configureLogging({ file });
    getLogger('misc').error('x'.repeat(10_000));
    getLogger('misc').error('next');
    const lines = linesOf(file);
    expect(lines[0]?.length).toBe(4095);
    expect(lines[1]).toMatch(/next$/);
  });

  it('obeys masks from left to right and skips what it does not know', () => {
    const mask = new LogMask(LogLevel.ERR);
    expect(mask.apply('WARN,pool=DEBUG,RPC=info,nonsense=INFO,vos=LOUD,rpc=crit')).toEqual([
      'unknown log facility "nonsense"', 'unknown log level in "vos=LOUD"',
    ]);
    expect(mask.levelOf('pool')).toBe(LogLevel.DEBUG);
    expect(mask.levelOf('rpc')).toBe(LogLevel.CRIT);
    expect(mask.levelOf('vos')).toBe(LogLevel.WARN);
    mask.applySubsystems('poo:rd');
    expect(mask.levelOf('vos')).toBe(LogLevel.EMIT);
    expect(mask.levelOf('rdb')).toBe(LogLevel.WARN);
    expect(mask.levelOf('misc')).toBe(LogLevel.WARN);
    mask.applySubsystems('all');
    expect(mask.levelOf('vos')).toBe(LogLevel.WARN);
  });

  it('takes a new mask at run time', () => {
    const logger = getLogger('bio');
    configureLogging({ mask: 'ERR' });
    expect(logger.enabled(LogLevel.INFO)).toBe(false);
    configureLogging({ mask: 'ERR,bio=DEBUG' });
    expect(logger.enabled(LogLevel.DEBUG)).toBe(true);
    expect(logLevelOf('bio')).toBe(LogLevel.DEBUG);
  });

  it('renames the file at its size limit', () => {
    const file = join(dir, 'rotate.log');
    configureLogging({ mask: 'INFO', file, sizeMax: 2000 });
    for (let i = 0; i < 60; i++) getLogger('misc').info(`line ${i}`);
    expect(statSync(`${file}.old`).size).toBeGreaterThanOrEqual(2000);
    expect(statSync(file).size).toBeLessThan(5000);
    expect(linesOf(file).at(-1)).toMatch(/line 59$/);
  });

  it('writes JSON records when asked to', () => {
    const file = join(dir, 'json.log');
    configureLogging({ file, format: 'json', mask: 'INFO' });
    getLogger('pool').warn('full', { free: 0 });
    configureLogging({ format: 'daos' });
    expect(JSON.parse(linesOf(file)[0] ?? '')).toMatchObject({ facility: 'pool', msg: 'full', free: 0, level: 40 });
  });

  it('reads sizes with decimal and binary suffixes', () => {
    expect([parseLogSize('5'), parseLogSize('2k'), parseLogSize('2K'), parseLogSize('1G'), parseLogSize('1x')])
      .toEqual([5, 2000, 2048, 1024 ** 3, undefined]);
  });
});
