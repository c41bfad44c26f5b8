import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NativeIo, NodeIo, UringIo, openIo } from '../src/index.js';
import { accessFromEnv } from '../src/open_io.js';

describe('how a device is reached', () => {
  it('is io_uring where the kernel has it, unless somebody names another way', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'open-'));
    try {
      const fastest = await openIo(join(dir, 'a'), { create: true });
      expect(fastest).toBeInstanceOf(UringIo.available() ? UringIo : NativeIo);
      const named = await openIo(join(dir, 'b'), { create: true, access: 'node' });
      expect(named).toBeInstanceOf(NodeIo);
      await fastest.close();
      await named.close();
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('can be named by the environment', () => {
    expect([accessFromEnv({}), accessFromEnv({ DAOS_BIO_ACCESS: '' }), accessFromEnv({ DAOS_BIO_ACCESS: 'native' })]).toEqual([undefined, undefined, 'native']);
    expect(() => accessFromEnv({ DAOS_BIO_ACCESS: 'fast' })).toThrow('one of uring, native, node');
  });
});
