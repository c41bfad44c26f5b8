// Rates of the allocator on a fresh and on a fragmented device. Usage: node bench/vea_bench.mjs
import { Vea, VeaHint } from '@daos/vea';

const TOTAL = 1 << 28;
const rows = new Map();
let changes = 0;
const store = {
  load: () => [...rows].map(([offset, blocks]) => ({ offset, blocks })),
  put: (offset, blocks) => { rows.set(offset, blocks); changes++; },
  remove: (offset) => { rows.delete(offset); changes++; },
};
Vea.format(store, TOTAL);
const vea = new Vea(store, TOTAL, { quarantineMs: 0 });

function report(name, count, run) {
  changes = 0;
  const started = performance.now();
  run();
  const us = ((performance.now() - started) * 1000) / count;
  console.log(`${name.padEnd(44)} ${us.toFixed(2)} us each, ${(changes / count).toFixed(2)} row changes each, ${rows.size} free extents`);
}

const COUNT = 200_000;
const held = [];
report('reserve + publish, one stream', COUNT, () => {
  for (let i = 0; i < COUNT; i++) { const r = vea.reserve(1); vea.publish(r); held.push(r); }
});
report('reserve + publish, batches of 32', COUNT, () => {
  for (let i = 0; i < COUNT / 32; i++) { const batch = Array.from({ length: 32 }, () => vea.reserve(1)); vea.publish(batch); held.push(...batch); }
});
report('free every other block', COUNT, () => {
  for (let i = 0; i < 2 * COUNT; i += 2) vea.free(held[i].offset, 1);
});
vea.flush();
report('reserve + publish into 200,000 gaps', COUNT / 2, () => {
  for (let i = 0; i < COUNT / 2; i++) vea.publish(vea.reserve(1, new VeaHint()));
});
