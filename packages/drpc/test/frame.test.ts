import { readFileSync } from 'node:fs';

import { DaosError } from '@daos/common';

import { CHUNK_BYTES_MAX, FrameAssembler, HEADER_BYTES, MESSAGE_BYTES_MAX, frameSplit } from '../src/frame.js';
import { callDecode, callEncode, responseDecode, responseEncode } from '../src/message.js';

interface Samples {
  messages: { type: 'Call' | 'Response'; fields: Record<string, string | number>; bytesHex: string }[];
  calls: {
    module: number;
    method: number;
    sequence: string;
    bodyBytes: number;
    messageBytes: number;
    chunks: { packetBytes: number; headerHex: string; packetHex?: string; payloadFirst32Hex?: string }[];
  }[];
}

const samples = JSON.parse(
  readFileSync(new URL('../../test/data/samples.json', import.meta.url), 'utf8'),
) as Samples;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function packet(total: number, length: number, index: number, count: number, data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(BigInt(total), 0);
  header.writeBigUInt64LE(BigInt(length), 8);
  header.writeUInt32LE(index, 16);
  header.writeUInt32LE(count, 20);
  return Buffer.concat([header, data]);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

describe('messages', () => {
  it.each(samples.messages)('$type $bytesHex', ({ type, fields, bytesHex }) => {
    const body = Buffer.from(fields['bodyHex'] as string, 'hex');
    const sequence = BigInt(fields['sequence'] as string);
    if (type === 'Call') {
      const call = { module: fields['module'] as number, method: fields['method'] as number, sequence, body };
      expect(hex(callEncode(call))).toBe(bytesHex);
      expect(callDecode(Buffer.from(bytesHex, 'hex'))).toEqual(call);
    } else {
      const response = { sequence, status: fields['status'] as number, body };
      expect(hex(responseEncode(response))).toBe(bytesHex);
      expect(responseDecode(Buffer.from(bytesHex, 'hex'))).toEqual(response);
    }
  });

  it('refuses garbage with DER_PROTO', () => {
    expect(codeOf(() => callDecode(Buffer.from('ffffffff', 'hex')))).toBe('PROTO');
    expect(codeOf(() => responseDecode(Buffer.from('1aff', 'hex')))).toBe('PROTO');
  });
});

describe('packets', () => {
  it.each(samples.calls)('cuts a call with a body of $bodyBytes bytes', (call) => {
    const body = Buffer.from(Uint8Array.from({ length: call.bodyBytes }, (_, j) => (7 * j + 3) & 0xff));
    const message = callEncode({ module: call.module, method: call.method, sequence: BigInt(call.sequence), body });
    expect(message.length).toBe(call.messageBytes);
    const packets = frameSplit(message);
    expect(packets.map(([header]) => hex(header))).toEqual(call.chunks.map((chunk) => chunk.headerHex));
    packets.forEach(([header, data], i) => {
      const chunk = call.chunks[i]!;
      expect(header.length + data.length).toBe(chunk.packetBytes);
      if (chunk.packetHex !== undefined) expect(hex(header) + hex(data)).toBe(chunk.packetHex);
      else expect(hex(data.subarray(0, 32))).toBe(chunk.payloadFirst32Hex);
    });
  });

  it.each([0, 1, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX + 1, 2 * CHUNK_BYTES_MAX, 300_000])('joins %i bytes again', (length) => {
    const message = Buffer.alloc(length, 'abcdefg');
    const frames = new FrameAssembler();
    const packets = frameSplit(message).map((parts) => Buffer.concat(parts));
    const results = packets.map((one) => frames.push(one));
    expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
    expect(results.at(-1)).toEqual(message);
    expect(frames.isPartial).toBe(false);
  });

  it.each([
    ['shorter than a header', [new Uint8Array(23)], 'TRUNC'],
    ['of no packets', [packet(0, 0, 0, 0, new Uint8Array(0))], 'PROTO'],
    ['that carries less than it says', [packet(10, 10, 0, 1, new Uint8Array(9))], 'TRUNC'],
    ['that carries more than it says', [packet(10, 9, 0, 1, new Uint8Array(10))], 'TRUNC'],
    ['larger than a packet may be', [packet(CHUNK_BYTES_MAX + 1, CHUNK_BYTES_MAX + 1, 0, 1, new Uint8Array(CHUNK_BYTES_MAX + 1))], 'TRUNC'],
    ['with more than announced', [packet(5, 10, 0, 1, new Uint8Array(10))], 'TRUNC'],
    ['with less than announced', [packet(11, 10, 0, 1, new Uint8Array(10))], 'TRUNC'],
    ['whose first packet is missing', [packet(2 ** 18, CHUNK_BYTES_MAX, 1, 3, new Uint8Array(CHUNK_BYTES_MAX))], 'MISMATCH'],
    ['with an index beyond the count', [packet(1, 1, 1, 1, new Uint8Array(1))], 'PROTO'],
    ['that is too long', [packet(MESSAGE_BYTES_MAX + 1, 1, 0, 9999, new Uint8Array(1))], 'OVERFLOW'],
    ['in small pieces', [packet(10, 1, 0, 10, new Uint8Array(1))], 'TRUNC'],
  ])('refuses a message %s', (_, packets, der) => {
    const frames = new FrameAssembler();
    expect(codeOf(() => packets.forEach((one) => frames.push(one)))).toBe(der);
  });

  it.each([
    ['a changed count', packet(2 ** 18, CHUNK_BYTES_MAX, 1, 2, new Uint8Array(CHUNK_BYTES_MAX)), 'PROTO'],
    ['a changed total', packet(2 ** 18 + 1, CHUNK_BYTES_MAX, 1, 3, new Uint8Array(CHUNK_BYTES_MAX)), 'TRUNC'],
    ['a repeated packet', packet(2 ** 18, CHUNK_BYTES_MAX, 0, 3, new Uint8Array(CHUNK_BYTES_MAX)), 'MISMATCH'],
    ['a lost packet', packet(2 ** 18, 48, 2, 3, new Uint8Array(48)), 'MISMATCH'],
  ])('refuses %s', (_, second, der) => {
    const frames = new FrameAssembler();
    frames.push(packet(2 ** 18, CHUNK_BYTES_MAX, 0, 3, new Uint8Array(CHUNK_BYTES_MAX)));
    expect(codeOf(() => frames.push(second))).toBe(der);
  });

  it('refuses to send more than can be received', () => {
    expect(codeOf(() => frameSplit(new Uint8Array(MESSAGE_BYTES_MAX + 1)))).toBe('OVERFLOW');
  });
});
