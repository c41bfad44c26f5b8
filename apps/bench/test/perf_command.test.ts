import { parseCommands } from '../src/perf_command.js';

describe('command strings', () => {
  it('splits steps and their parameters', () => {
    const [update, fetch, verify] = parseCommands('U;p F;p;i=3;k;D=10;o=4;s=8 V', 'UFV');
    expect(update).toMatchObject({ letter: 'U', print: true, iterations: 1, keepCounter: false });
    expect(fetch).toMatchObject({ letter: 'F', print: true, iterations: 3, keepCounter: true, dkeys: 10, offset: 4, size: 8 });
    expect(verify).toMatchObject({ letter: 'V', print: false });
  });

  it('names what it does not understand', () => {
    expect(() => parseCommands('', 'U')).toThrow('no command');
    expect(() => parseCommands('Z', 'UF')).toThrow('"Z" is not a command; use U, F');
    expect(() => parseCommands('U;x', 'U')).toThrow('unknown parameter "x"');
    expect(() => parseCommands('U;i=0', 'U')).toThrow('no iterations');
    expect(() => parseCommands('P;d', 'P')).toThrow('unknown parameter "d"');
    expect(parseCommands('P;d', 'P', ['d'])[0]?.parameters).toEqual(['d']);
  });
});
