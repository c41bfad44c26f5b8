import type { CliGroup, CliOption, CliVerb } from '@daos/control/cli';

import { CONTAINER_ARGUMENTS, PATH_OPTION, POOL_ARGUMENT } from '../arguments.js';
import { later } from '../later.js';
import { chunkSize, consistencyMode, containerType, createProperties, objectClass } from './flags.js';

const ATTR: CliOption = { flags: '-a, --attr <name>', description: 'one attribute (deprecated)', hidden: true };
const PROPERTIES: CliOption = { flags: '--properties <list>', description: 'properties (deprecated)', hidden: true };

const CREATE: CliVerb = {
  name: 'create',
  description: 'create a container',
  options: [
    { flags: '-t, --type <type>', description: 'POSIX, HDF5, PYTHON, ...; unknown when absent', parse: containerType, typeName: 'main.ContTypeFlag' },
    PATH_OPTION,
    { flags: '-z, --chunk-size <size>', description: 'chunk size of files', parse: chunkSize, typeName: 'main.ChunkSizeFlag' },
    { flags: '-o, --oclass <class>', description: 'object class', parse: objectClass, typeName: 'main.ObjClassFlag' },
    { flags: '-d, --dir-oclass <class>', description: 'object class of folders', parse: objectClass, typeName: 'main.ObjClassFlag' },
    { flags: '-f, --file-oclass <class>', description: 'object class of files', parse: objectClass, typeName: 'main.ObjClassFlag' },
    { flags: '-H, --hints <hints>', description: 'placement hints, such as dir:single,file:max' },
    { flags: '--properties <list>', description: 'properties, key:val[,key:val...]', parse: createProperties, typeName: 'main.CreatePropertiesFlag' },
    { flags: '-M, --mode <mode>', description: 'relaxed or balanced', parse: consistencyMode, typeName: 'main.ConsModeFlag' },
    { flags: '-A, --acl-file <file>', description: 'access control list (not in this release)' },
    { flags: '-g, --group <group>', description: 'owner group (not in this release)' },
    { flags: '-a, --attrs <list>', description: 'user attributes, key:val[,key:val...]' },
  ],
  args: [POOL_ARGUMENT, { name: 'label' }],
  run: async (context) => (await import('./create.js')).run(context),
};

export const CONTAINER_GROUP: CliGroup = {
  name: 'container',
  aliases: ['cont'],
  description: 'containers',
  commands: [
    later('container', 'check'),
    later('container', 'clone'),
    CREATE,
    later('container', 'create-snap', ['snap']),
    {
      name: 'del-attr',
      aliases: ['delattr'],
      description: 'remove attributes',
      options: [PATH_OPTION, ATTR],
      args: [...CONTAINER_ARGUMENTS, { name: 'key[,key...]' }],
      run: async (context) => (await import('./attributes.js')).runDelete(context),
    },
    later('container', 'delete-acl'),
    {
      name: 'destroy',
      description: 'destroy a container and its data',
      options: [PATH_OPTION, { flags: '-f, --force', description: 'even when it is in use' }],
      args: CONTAINER_ARGUMENTS,
      run: async (context) => (await import('./destroy.js')).run(context),
    },
    later('container', 'destroy-snap'),
    later('container', 'evict'),
    later('container', 'get-acl'),
    {
      name: 'get-attr',
      aliases: ['getattr'],
      description: 'show attributes',
      options: [PATH_OPTION, ATTR],
      args: [...CONTAINER_ARGUMENTS, { name: 'key[,key...]' }],
      run: async (context) => (await import('./attributes.js')).runGet(context),
    },
    {
      name: 'get-prop',
      aliases: ['getprop'],
      description: 'show properties',
      options: [PATH_OPTION, PROPERTIES],
      args: [...CONTAINER_ARGUMENTS, { name: 'key[,key...]' }],
      run: async (context) => (await import('./properties.js')).runGet(context),
    },
    later('container', 'link'),
    {
      name: 'list',
      aliases: ['ls'],
      description: 'list containers of a pool',
      options: [{ flags: '-v, --verbose', description: 'layout too' }],
      args: [POOL_ARGUMENT],
      run: async (context) => (await import('./list.js')).run(context),
    },
    {
      name: 'list-attr',
      aliases: ['list-attrs', 'lsattr'],
      description: 'list attributes',
      options: [PATH_OPTION, { flags: '-V, --verbose', description: 'values too' }],
      args: CONTAINER_ARGUMENTS,
      run: async (context) => (await import('./attributes.js')).runList(context),
    },
    {
      name: 'list-objects',
      aliases: ['list-obj'],
      description: 'list object ids',
      options: [PATH_OPTION],
      args: CONTAINER_ARGUMENTS,
      run: async (context) => (await import('./list_objects.js')).run(context),
    },
    later('container', 'list-snap', ['list-snaps']),
    later('container', 'overwrite-acl', ['replace']),
    {
      name: 'query',
      description: 'show what a container is',
      options: [PATH_OPTION],
      args: CONTAINER_ARGUMENTS,
      run: async (context) => (await import('./query.js')).run(context),
    },
    later('container', 'rollback'),
    {
      name: 'set-attr',
      aliases: ['setattr'],
      description: 'set attributes',
      options: [PATH_OPTION, ATTR, { flags: '-v, --value <value>', description: 'its value (deprecated)', hidden: true }],
      args: [...CONTAINER_ARGUMENTS, { name: 'key:val[,key:val...]' }],
      run: async (context) => (await import('./attributes.js')).runSet(context),
    },
    later('container', 'set-owner', ['chown']),
    {
      name: 'set-prop',
      aliases: ['setprop'],
      description: 'change properties',
      options: [PATH_OPTION, PROPERTIES],
      args: [...CONTAINER_ARGUMENTS, { name: 'key:val[,key:val...]' }],
      run: async (context) => (await import('./properties.js')).runSet(context),
    },
    {
      name: 'stat',
      description: 'open and close a container',
      options: [PATH_OPTION],
      args: CONTAINER_ARGUMENTS,
      run: async (context) => (await import('./query.js')).runStat(context),
    },
    later('container', 'update-acl'),
  ],
};
