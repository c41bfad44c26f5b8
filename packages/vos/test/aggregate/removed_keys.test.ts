import type { KeyFlavours } from '../../src/index.js';
import { HASHED, TestObject, bytes, unitOid } from '../fixture.js';
import { AKEY, Rig } from './rig.js';

const LEXICAL: KeyFlavours = { dkey: 'lexical', akey: 'lexical' };

describe.each([['hashed', HASHED], ['lexical', LEXICAL]] as const)('a %s key that aggregation removed', (_name, flavours) => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.create({}, flavours);
  });
  afterEach(() => rig.destroy());

  // around the lengths at which keys are stored differently, with a neighbour whose last byte is one higher
  it.each([15, 16, 17, 18, 19, 25])('of %i bytes can be written again, by each object for itself', async (length) => {
    const key = bytes(`${'a'.repeat(length - 1)}1`);
    const neighbour = bytes(`${'a'.repeat(length - 1)}2`);
    const other = new TestObject(rig.container, unitOid(2), flavours);
    for (const object of [rig.object, other]) {
      for (const dkey of [key, neighbour]) await object.updateSingle(10n, dkey, AKEY, 'old');
      await object.punch(20n, key);
    }
    await rig.aggregate(0, 30);
    for (const akey of [key, neighbour]) await rig.object.updateSingle(35n, neighbour, akey, 'first');
    await rig.object.punch(36n, neighbour, [key]);
    await rig.aggregate(31, 37);
    await rig.object.updateSingle(40n, key, bytes('x'), 'one');
    await other.updateSingle(40n, key, bytes('y'), 'two');
    await rig.object.updateSingle(40n, neighbour, key, 'three');
    rig.container = await rig.test.reopen().then((pool) => pool.containerOpen(rig.container.uuid));
    const mine = new TestObject(rig.container, rig.object.oid, flavours);
    const its = new TestObject(rig.container, other.oid, flavours);
    expect([await mine.fetchSingle(50n, key, bytes('x')), await mine.fetchSingle(50n, key, bytes('y'))]).toEqual(['one', '']);
    expect([await its.fetchSingle(50n, key, bytes('x')), await its.fetchSingle(50n, key, bytes('y'))]).toEqual(['', 'two']);
    expect([await mine.fetchSingle(50n, neighbour, key), await mine.fetchSingle(50n, neighbour, neighbour)]).toEqual(['three', 'first']);
  });
});
