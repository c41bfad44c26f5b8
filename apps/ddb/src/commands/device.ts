import { DaosError, isUuid, type Uuid } from '@daos/common';

import type { DdbCommand } from '../command.js';
import { required } from '../place.js';

const DB_PATH_DEFAULT = '/mnt/daos';
const NVME_CONF_DEFAULT = '/mnt/daos/daos_nvme.conf';

const smdSync: DdbCommand = {
  name: 'smd_sync',
  description: 'restore the table of devices from what the devices say',
  args: ['[nvme_conf]', '[db_path]'],
  async run(session, { args: [conf = NVME_CONF_DEFAULT, dbPath = DB_PATH_DEFAULT] }) {
    checkClosed(session.isOpen);
    await session.store.smdSync(conf, dbPath);
    session.print(`restored the table of devices in ${dbPath}`);
  },
};

const devList: DdbCommand = {
  name: 'dev_list',
  description: 'list the devices of a database',
  args: ['[db_path]'],
  async run(session, { args: [dbPath] }) {
    checkClosed(session.isOpen);
    for (const { uuid, state, targets } of await session.store.devices(required(dbPath, 'the database'))) {
      session.print(`Device: ${uuid}, state ${state}, targets ${targets.join(' ')}`);
    }
  },
};

const devReplace: DdbCommand = {
  name: 'dev_replace',
  description: 'put a new device in the place of an old one',
  args: ['[db_path]', '[old_dev]', '[new_dev]'],
  async run(session, { args: [dbPath, oldDevice, newDevice] }) {
    checkClosed(session.isOpen);
    const path = required(dbPath, 'the database');
    const [from, to] = [deviceArgument('old_dev', oldDevice), deviceArgument('new_dev', newDevice)];
    if (from === to) throw new DaosError('INVAL', 'dev_replace: the devices are the same');
    await session.store.deviceReplace(path, from, to);
    session.print(`${to} takes the place of ${from}`);
  },
};

const provMem: DdbCommand = {
  name: 'prov_mem',
  description: 'prepare the memory file system of a host with metadata on SSD',
  args: ['[db_path]', '[tmpfs_mount]'],
  options: [{ flags: '-s, --tmpfs_size <gib>', description: 'size in GiB; default: that of all shards' }],
  async run(session, { args: [dbPath, mount], options }) {
    checkClosed(session.isOpen);
    const size = options['tmpfs_size'];
    if (typeof size === 'string' && !/^\d{1,6}$/.test(size)) throw new DaosError('INVAL', `"${size}" is no size in GiB`);
    const path = required(dbPath, 'the database');
    await session.store.provisionMemory(path, required(mount, 'the mount point'), typeof size === 'string' && Number(size) > 0 ? Number(size) : undefined);
    session.print(`prepared ${mount}`);
  },
};

export const DEVICE_COMMANDS: readonly DdbCommand[] = [smdSync, devList, devReplace, provMem];

/** These commands take the devices for themselves. */
function checkClosed(isOpen: boolean): void {
  if (isOpen) throw new DaosError('BUSY', 'a shard is open: close it first');
}

function deviceArgument(what: string, text: string | undefined): Uuid {
  if (text === undefined || !isUuid(text)) throw new DaosError('INVAL', `${what} "${text ?? ''}" is not the UUID of a device`);
  return text.toLowerCase();
}
