import { userInfo } from 'node:os';

import { userNames } from '../src/index.js';

describe('user names', () => {
  it('knows this process\'s user', async () => {
    const { uid, gid, username } = userInfo();
    expect(await userNames(uid, gid)).toMatchObject({ user: username, group: expect.any(String) });
  });

  it('leaves out what the system does not know', async () => {
    expect(await userNames(3_999_999_001, 3_999_999_002)).toEqual({ groups: [] });
  });
});
