import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@daos/gurt';
import { crc32c } from '@node-rs/crc32';
import { IndexKey } from '../../src/layout/index_key.js';
import { LmdbUmem } from '../../src/umem/lmdb_umem.js';
import { openLmdb } from '../../src/umem/lmdb_store.js';
import { FaultyDisk, turn } from './faulty_disk.js';
const USABLE_BYTES = 8 * 1024 * 1024;
const KEYS = 24;
const BLOCKS = 12;
const BLOCK_BYTES = 1024;
const LIVES_MAX = 4;
const STEPS_MAX = 40;
/** Marks a value that names a block of the data file. */
const BLOCK_MARK = 'block ';
export function newCoverage() {
    return {
        crashes: 0, recoveries: 0, interruptedRecoveries: 0, cuts: 0, checkpoints: 0,
        unacknowledgedKept: 0, unacknowledgedLost: 0, blocksReused: 0,
    };
}
/**
 * One random program: groups of modifications, some of which depend on data writes, checkpoints in between, and a crash
 * of the operating system at some step. LMDB is trusted to keep its last durable commit; log and data are what the
 * faulty disk leaves. After recovery the index must be as after some number of groups, not fewer than were acknowledged.
 */
export async function runCrashProgram(seed, coverage, durability = 'full') {
    const dir = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'umem-crash-'));
    try {
        await new CrashProgram(dir, seededRandom(seed), coverage, durability).run();
    }
    catch (error) {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    }
    finally {
        await rm(dir, { recursive: true, force: true });
    }
}
class CrashProgram {
    random;
    coverage;
    durability;
    disk;
    paths;
    options;
    machine;
    umem;
    /** The index before any of `groups`. */
    base = new Map();
    groups = [];
    acknowledged = 0;
    freeBlocks = [];
    writtenAhead = [];
    serial = 0;
    constructor(dir, random, coverage, durability) {
        this.random = random;
        this.coverage = coverage;
        this.durability = durability;
        this.disk = new FaultyDisk(random, random.below(6));
        this.paths = { index: join(dir, 'index'), logs: ['log.0', 'log.1'] };
        this.options = {
            checkpointEntries: 4 + random.below(40),
            checkpointLogBytes: 512 * (2 + random.below(40)),
            sliceEntries: 1 + random.below(8),
            logBytesMax: 512 * (4 + random.below(40)),
            checkpoint: { mode: random.below(4) === 0 ? 'disabled' : 'lazy', frequencySeconds: 60, thresholdPercent: 50 },
            durability,
            logFiles: this.disk,
            readData: async (offset, bytes) => {
                await this.disk.take('read', 'data', this.machine.life);
                return Promise.resolve(this.disk.bytes('data').subarray(offset, offset + bytes));
            },
            openStore: (path, usableBytes) => this.machine.guard(openLmdb(path, usableBytes)),
            onEvent: (event) => this.onEvent(event),
        };
    }
    async run() {
        this.machine = new Machine(this.disk);
        await LmdbUmem.create(this.paths, USABLE_BYTES, this.options);
        await this.disk.create('data');
        this.disk.overwrite('data', 0, Buffer.alloc(BLOCKS * BLOCK_BYTES));
        await this.recover();
        for (let lives = 1 + this.random.below(LIVES_MAX); lives > 0; lives--) {
            for (let steps = 1 + this.random.below(STEPS_MAX); steps > 0; steps--)
                await this.step();
            if (this.random.below(5) === 0)
                await this.closeCleanly();
            else
                await this.machine.crash();
            this.coverage.crashes++;
            this.machine = new Machine(this.disk);
            await this.recover();
        }
        await this.umem.close();
    }
    async step() {
        const kind = this.random.below(12);
        if (kind < 6)
            this.modify();
        else if (kind < 7)
            this.touchAndForget();
        else if (kind < 9)
            this.writeAhead();
        else if (kind < 11)
            for (let turns = this.random.below(4); turns > 0; turns--)
                await turn();
        else
            await this.umem.durable();
    }
    /** A group of modifications by a caller who waits. */
    modify() {
        const group = [];
        const freed = [];
        for (let count = 1 + this.random.below(4); count > 0; count--) {
            const key = `key ${this.random.below(KEYS)}`;
            const before = this.umem.get(keyOf(key));
            const value = this.newValue();
            if (value === undefined)
                this.umem.remove(keyOf(key));
            else
                this.umem.put(keyOf(key), Buffer.from(value));
            if (before)
                freed.push(...blockOf(String(before)));
            group.push([key, value]);
        }
        this.groups.push(group);
        const count = this.groups.length;
        const { machine } = this;
        this.umem.durable().then(() => {
            if (machine.isRunning && this.durability === 'full')
                this.acknowledged = Math.max(this.acknowledged, count);
        }, () => undefined);
        if (freed.length > 0) {
            this.umem.sealed().then(() => {
                if (machine.isRunning)
                    this.freeBlocks.push(...freed);
            }, () => undefined);
        }
    }
    /** Modifications nobody waits for end up in some batch, too. */
    touchAndForget() {
        const key = `key ${KEYS + this.random.below(4)}`;
        const value = `${this.serial++}`;
        this.umem.put(keyOf(key), Buffer.from(value));
        this.groups.push([[key, value]]);
    }
    newValue() {
        const kind = this.random.below(8);
        if (kind === 0)
            return undefined;
        if (kind < 5)
            return `${this.serial++} ${'x'.repeat(this.random.below(this.random.below(5) === 0 ? 1500 : 40))}`;
        if (this.random.below(2) === 0)
            this.writeAhead();
        const ahead = this.writtenAhead.shift();
        if (!ahead)
            return `${this.serial++}`;
        this.umem.dependsOn(ahead.write);
        return ahead.text;
    }
    /** Writes a block that the index will name later, or never: before a crash, an old record may name it still. */
    writeAhead() {
        // the one freed last: it is the most likely to be missed
        const block = this.freeBlocks.pop();
        if (block === undefined)
            return;
        const text = `${BLOCK_MARK}${block} of ${this.serial++}`;
        const bytes = contentOf(text);
        const offset = block * BLOCK_BYTES;
        if (this.disk.bytes('data').subarray(offset, offset + BLOCK_BYTES).some((byte) => byte !== 0))
            this.coverage.blocksReused++;
        const done = this.machine.writeData(bytes, offset);
        this.writtenAhead.push({ text, write: { offset, bytes: bytes.length, crc: crc32c(bytes), done } });
    }
    async closeCleanly() {
        await this.umem.close();
        this.machine.stop();
        if (this.durability === 'none')
            return;
        this.acknowledged = this.groups.length;
    }
    /** Opens the index, perhaps after further crashes on the way, and compares it with the model. */
    async recover() {
        while (this.random.below(4) === 0) {
            const { machine } = this;
            machine.transactionsLeft = this.random.below(3);
            const opened = await LmdbUmem.open(this.paths, USABLE_BYTES, this.options).catch((error) => {
                if (!(error instanceof PowerCut))
                    throw error;
                return undefined;
            });
            if (opened) {
                this.umem = opened;
                await machine.crash();
            }
            else
                this.disk.crash();
            this.coverage.interruptedRecoveries++;
            this.machine = new Machine(this.disk);
        }
        this.umem = await LmdbUmem.open(this.paths, USABLE_BYTES, this.options);
        this.coverage.recoveries++;
        this.compare();
    }
    compare() {
        const found = new Map();
        const from = new IndexKey().space(0x60);
        for (const { key, value } of this.umem.range({ from, to: new IndexKey().space(0x61) })) {
            found.set(String(Buffer.from(key.subarray(1))), String(Buffer.from(value)));
        }
        const state = new Map(this.base);
        let kept = -1;
        for (let count = 0; count <= this.groups.length && kept < 0; count++) {
            for (const [key, value] of this.groups[count - 1] ?? []) {
                if (value === undefined)
                    state.delete(key);
                else
                    state.set(key, value);
            }
            if (count >= this.acknowledged && isSame(state, found))
                kept = count;
        }
        if (kept < 0) {
            throw new Error(`after recovery the index is in no state from ${this.acknowledged} to ${this.groups.length} groups: ${JSON.stringify([...found])}`);
        }
        this.coverage.unacknowledgedKept += kept - this.acknowledged;
        this.coverage.unacknowledgedLost += this.groups.length - kept;
        this.base = state;
        this.groups = [];
        this.acknowledged = 0;
        this.writtenAhead = [];
        this.checkData(found);
    }
    /** Every block that the index names holds what was written for it. The others are free. */
    checkData(found) {
        const used = new Set();
        for (const value of found.values()) {
            for (const block of blockOf(value)) {
                used.add(block);
                const bytes = contentOf(value);
                const stored = this.disk.bytes('data').subarray(block * BLOCK_BYTES, block * BLOCK_BYTES + bytes.length);
                if (!stored.equals(bytes))
                    throw new Error(`the index says "${value}"; the block holds other data`);
            }
        }
        this.freeBlocks = Array.from({ length: BLOCKS }, (_, block) => block).filter((block) => !used.has(block));
    }
    onEvent(event) {
        if (event.type === 'checkpointDone')
            this.coverage.checkpoints++;
        if (event.type === 'replayed' && event.isCut)
            this.coverage.cuts++;
        if (event.type === 'failed')
            throw new Error(`the index failed: ${event.error.message}`);
    }
}
class PowerCut extends Error {
}
/** The process and its disk from one start to its end. */
class Machine {
    disk;
    isRunning = true;
    /** Synchronous transactions until the power is cut in front of one. */
    transactionsLeft = Infinity;
    life;
    store;
    commits = new Set();
    constructor(disk) {
        this.disk = disk;
        this.life = disk.currentLife;
    }
    /** LMDB whose commits stop with the machine; one that is under way ends, as if the crash came right after it. */
    guard(store) {
        this.store = store;
        const batch = (action) => {
            if (!this.isRunning)
                return new Promise(() => undefined);
            const commit = store.batch(action);
            this.commits.add(commit);
            return commit.then((done) => (this.isRunning ? done : new Promise(() => undefined)));
        };
        const transactionSync = (action) => {
            if (this.transactionsLeft-- <= 0)
                throw new PowerCut('power cut');
            return store.transactionSync(action);
        };
        return new Proxy(store, {
            get: (target, name) => {
                if (name === 'batch')
                    return batch;
                if (name === 'transactionSync')
                    return transactionSync;
                const member = Reflect.get(target, name);
                return typeof member === 'function' ? member.bind(target) : member;
            },
        });
    }
    async writeData(bytes, at) {
        const file = await this.disk.open('data');
        await file.writeDurably(bytes, bytes.length, at);
    }
    async crash() {
        this.stop();
        this.disk.crash();
        await Promise.all(this.commits);
        await this.store?.close();
    }
    stop() {
        this.isRunning = false;
    }
}
function keyOf(text) {
    return new IndexKey().space(0x60).raw(Buffer.from(text));
}
function blockOf(value) {
    return value.startsWith(BLOCK_MARK) ? [Number.parseInt(value.slice(BLOCK_MARK.length), 10)] : [];
}
function contentOf(text) {
    return Buffer.alloc(BLOCK_BYTES, `${text};`);
}
function isSame(a, b) {
    if (a.size !== b.size)
        return false;
    for (const [key, value] of a)
        if (b.get(key) !== value)
            return false;
    return true;
}
//# sourceMappingURL=crash_program.js.map