import { createServer } from 'node:net';

/**
 * The other end of the echo reference, run as a process of its own: sends every message of a fixed size back, one
 * write each. Prints its port; ends when its standard input does.
 */
const messageBytes = Number(process.argv[2]);
if (!Number.isSafeInteger(messageBytes) || messageBytes <= 0) {
  process.stderr.write('usage: echo_server MESSAGE_BYTES\n');
  process.exit(2);
}

const server = createServer({ noDelay: true }, (socket) => {
  const pending: Buffer[] = [];
  let have = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending.push(chunk);
    have += chunk.length;
    while (have >= messageBytes) {
      have -= messageBytes;
      echoOne(pending, (part) => socket.write(part));
    }
  });
});

/** Writes one message's bytes out of the front of the pending chunks. */
function echoOne(pending: Buffer[], write: (part: Buffer) => void): void {
  for (let left = messageBytes; left > 0; ) {
    const head = pending[0];
    if (!head) return;
    const part = head.length <= left ? head : head.subarray(0, left);
    if (part.length === head.length) pending.shift();
    else pending[0] = head.subarray(part.length);
    left -= part.length;
    write(part);
  }
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : ''}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
