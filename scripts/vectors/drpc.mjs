// dRPC: messages in protobuf form, and how calls are cut into packets.
import { frameSplit } from '../../packages/drpc/dist/src/frame.js';
import { callEncode } from '../../packages/drpc/dist/src/message.js';
import { byKind, hex } from './lib.mjs';

const HEAD_BYTES = 32;
/** Generated modules that hold the messages of a protobuf package. */
const MODULES = {
  drpc: ['drpc'],
  auth: ['security/auth'],
  mgmt: ['mgmt/svc', 'mgmt/pool', 'mgmt/cont', 'mgmt/acl', 'mgmt/system', 'mgmt/check'],
  srv: ['srv/srv'],
  shared: ['shared/event', 'shared/ranks', 'shared/check_engine'],
  ctl: ['ctl/server', 'ctl/storage', 'ctl/network', 'ctl/ranks', 'ctl/common', 'ctl/smd', 'ctl/check', 'ctl/support'],
  chk: ['chk/chk', 'chk/faults'],
};
const types = await loadTypes();

export const families = {
  drpc: byKind({
    message: (row) => {
      const type = types.get(row.type);
      if (!type) throw new Error(`no message type ${row.type}`);
      const bytes = Buffer.from(row.bytesHex, 'hex');
      const decoded = type.decode(bytes);
      const message = merged(decoded, row.fields, row.type);
      return { want: [row.bytesHex, plain(message)], got: [hex(type.encode(message).finish()), plain(decoded)] };
    },
    chunks: (row) => {
      const body = Uint8Array.from({ length: row.bodyBytes }, (_, j) => (7 * j + 3) & 0xff);
      const message = callEncode({ module: row.module, method: row.method, sequence: BigInt(row.sequence), body });
      const packets = frameSplit(message);
      return {
        want: [row.messageBytes, row.chunks],
        got: [message.length, packets.map(([header, data], i) => packetFields(header, data, row.chunks[i]))],
      };
    },
  }),
};

async function loadTypes() {
  const found = new Map();
  for (const [name, modules] of Object.entries(MODULES)) {
    for (const path of modules) {
      const module = await import(`../../packages/proto/dist/src/gen/${path}.js`);
      for (const [type, value] of Object.entries(module)) {
        if (typeof value?.encode === 'function') found.set(`${name}.${type}`, value);
      }
    }
  }
  return found;
}

/** As the file gives it: whole when it is short, else the first bytes. */
function packetFields(header, data, chunk) {
  const whole = chunk?.packetHex !== undefined;
  return {
    packetBytes: header.length + data.length,
    headerHex: hex(header),
    ...(whole ? { packetHex: hex(header) + hex(data) } : { payloadFirst32Hex: hex(data.subarray(0, HEAD_BYTES)) }),
  };
}

/** A message of the recorded fields; `like`, a decoded one, tells numbers of 64 bits from text. */
function merged(like, fields, subject) {
  const message = { ...like };
  for (const [recorded, value] of Object.entries(fields)) {
    const name = recorded.replace(/Hex$/, '').replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
    if (!(name in like)) throw new Error(`${subject} has no field ${name}`);
    message[name] = recorded.endsWith('Hex') ? Buffer.from(value, 'hex') : converted(like[name], value, `${subject}.${name}`);
  }
  return message;
}

function converted(like, value, subject) {
  if (value === null) return undefined;
  if (typeof like === 'bigint') return BigInt(value);
  if (Array.isArray(value)) return value.map((one, i) => converted(like?.[i], one, subject));
  if (typeof value === 'object') return merged(like ?? {}, value, subject);
  return value;
}

function plain(message) {
  return JSON.parse(JSON.stringify(message, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
}
