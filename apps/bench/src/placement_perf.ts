import { ComponentType, type PoolMap } from '@daos/common';
import { Placement, type PlaceOptions } from '@daos/placement';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';

import {
  clusterMap,
  mapBytes,
  measureAddition,
  measureBalance,
  measureExclusion,
  measureJump,
  measureLayouts,
  objectIds,
  type Cluster,
} from './placement_measure.js';
import { printFigures, type Figure } from './report.js';
import { wholeNumber } from './size_option.js';

/** Most layouts before the clock starts, and after. */
const WARM_UP = 5000;
const SPEED_LAYOUTS_MAX = 100_000;
/** Layouts that movement is measured over, at most: each is computed twice. */
const MOVEMENT_OBJECTS_MAX = 200_000;
const OBJECTS_AT_A_TIME = 65_536;
const MIB = 2 ** 20;

export interface PlacementPerfOptions {
  readonly nodes: readonly number[];
  readonly ranks: number;
  readonly targets: number;
  readonly perfDomains: number;
  readonly pda: number;
  readonly class: readonly string[];
  readonly rf: number;
  readonly level: number;
  readonly objects: number;
  readonly shards: number;
  readonly balance: boolean;
  readonly movement: boolean;
  readonly json?: boolean;
}

/** A measured number beside what it would be at best. */
export interface Quality {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the reference is. */
  readonly reference: string;
  readonly referenceValue: number;
}

export interface PlacementReport {
  readonly speed: readonly Figure[];
  readonly quality: readonly Quality[];
}

/** Measures every class on every cluster. */
export function runPlacementPerf(options: PlacementPerfOptions): PlacementReport {
  const speed: Figure[] = [];
  const quality: Quality[] = [];
  for (const nodes of options.nodes) {
    const cluster: Cluster = {
      nodes,
      ranksPerNode: options.ranks,
      targetsPerRank: options.targets,
      perfDomains: options.perfDomains,
    };
    if (options.perfDomains > 0 && nodes % options.perfDomains !== 0) {
      throw new Error(`${nodes} nodes cannot be divided over ${options.perfDomains} performance domains`);
    }
    quality.push(memoryOf(cluster));
    for (const className of options.class) {
      const one = measureClass(cluster, className, options);
      speed.push(one.speed);
      quality.push(...one.quality);
    }
  }
  return { speed, quality };
}

function memoryOf(cluster: Cluster): Quality {
  return {
    name: `pool map of ${describe(cluster)}`,
    value: mapBytes(cluster) / MIB,
    unit: 'MiB',
    reference: 'allowed for 10,000 nodes',
    referenceValue: 64,
  };
}

function describe({ nodes, ranksPerNode, targetsPerRank }: Cluster): string {
  return `${nodes} x ${ranksPerNode} x ${targetsPerRank}`;
}

function measureClass(cluster: Cluster, className: string, options: PlacementPerfOptions): { speed: Figure; quality: Quality[] } {
  const map = clusterMap(cluster);
  const place: PlaceOptions = { faultLevel: options.level, pda: options.pda, perfDomainLevel: ComponentType.PERF };
  const subject = `${className} on ${describe(cluster)}`;
  const speed = speedOf(map, subject, className, options, place);
  const quality: Quality[] = [];
  if (options.balance) {
    const batches = function* () {
      for (let first = 0; first < options.objects; first += OBJECTS_AT_A_TIME) {
        yield* objectIds(map, className, options.rf, Math.min(OBJECTS_AT_A_TIME, options.objects - first), first);
      }
    };
    const { mean, max, min, sigma } = measureBalance(map, batches(), place);
    const chance = Math.sqrt(mean);
    quality.push({ name: `${subject}: most shards on a target / mean`, value: max / mean, unit: '', reference: 'all equal', referenceValue: 1 });
    quality.push({ name: `${subject}: fewest shards on a target / mean`, value: min / mean, unit: '', reference: 'all equal', referenceValue: 1 });
    quality.push({ name: `${subject}: standard deviation of shards`, value: sigma, unit: 'shards', reference: `chance (mean ${mean.toFixed(1)})`, referenceValue: chance });
  }
  if (options.movement) {
    const oids = objectIds(map, className, options.rf, Math.min(options.objects, MOVEMENT_OBJECTS_MAX));
    const changes = [
      ...(options.perfDomains === 0 ? [['one node added', measureAddition(map, cluster, oids, place)] as const] : []),
      ['one node excluded', measureExclusion(map, oids, place)] as const,
    ];
    for (const [what, { moved, ideal }] of changes) {
      quality.push({ name: `${subject}: shards moved, ${what}`, value: moved, unit: '', reference: 'least possible', referenceValue: ideal });
    }
  }
  return { speed, quality };
}

function speedOf(
  map: PoolMap,
  subject: string,
  className: string,
  options: PlacementPerfOptions,
  place: PlaceOptions,
): Figure {
  const [sample] = objectIds(map, className, options.rf, 1);
  if (!sample) throw new Error('no object to place');
  const shards = new Placement(map).placeObject(sample, place).shards.length;
  const layouts = Math.max(20, Math.min(SPEED_LAYOUTS_MAX, Math.ceil(options.shards / shards)));
  const warmUp = Math.max(10, Math.min(WARM_UP, Math.ceil(options.shards / 2 / shards)));
  const oids = objectIds(map, className, options.rf, layouts, 1 << 24);
  const measured = measureLayouts(map, oids, objectIds(map, className, options.rf, warmUp, 1 << 25), place);
  const jumpSeconds = measureJump(map.targets.length, shards * layouts);
  return {
    name: `placement_perf ${subject}, ${shards} shards`,
    opsPerSecond: measured.operations / measured.seconds,
    mbPerSecond: 0,
    p50Us: measured.latency.percentile(50),
    p99Us: measured.latency.percentile(99),
    reference: `plain jump hashes, ${shards} each`,
    referenceOpsPerSecond: layouts / jumpSeconds,
  };
}

/** A quality as one JSON line. */
export function qualityJson({ name, value, unit, reference, referenceValue }: Quality): string {
  return JSON.stringify({ name: `placement_perf ${name}`, value: rounded(value), unit, reference, reference_value: rounded(referenceValue), ratio: rounded(value / referenceValue) });
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function qualityTable(quality: readonly Quality[]): string {
  const table = new Table({
    head: ['what', 'value', '', 'reference', '', 'ratio'],
    colAligns: ['left', 'right', 'left', 'left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, value, unit, reference, referenceValue } of quality) {
    table.push([name, String(rounded(value)), unit, reference, String(rounded(referenceValue)), String(rounded(value / referenceValue))]);
  }
  return table.toString();
}

function list(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.some((item) => item === '')) throw new InvalidArgumentError('expected values separated by commas');
  return items;
}

function levelOf(text: string): number {
  const level = { rank: ComponentType.RANK, node: ComponentType.NODE }[text];
  if (level === undefined) throw new InvalidArgumentError('expected rank or node');
  return level;
}

function zeroOrMore(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 0 on');
  return Number(text);
}

export function placementPerfProgram(): Command {
  return new Command('placement_perf')
    .description('Measures where objects are placed on a cluster: speed of layouts, balance over targets, movement when a node comes or goes.')
    .option('-n, --nodes <list>', 'clusters to measure, by number of nodes', (text: string) => list(text).map(wholeNumber), [16])
    .option('-r, --ranks <n>', 'engines per node', wholeNumber, 1)
    .option('-t, --targets <n>', 'targets per engine', wholeNumber, 8)
    .option('-p, --perf-domains <n>', 'performance domains that the nodes are divided over; 0: none', zeroOrMore, 0)
    .option('-a, --pda <n>', 'performance domain affinity; 4294967295: as much as possible', zeroOrMore, 0)
    .option('-c, --class <list>', 'object classes', list, ['RP_3G1'])
    .option('-f, --rf <n>', 'redundancy factor that X classes keep a reserve for', zeroOrMore, 2)
    .option('-l, --level <level>', 'groups spread over: rank or node', levelOf, ComponentType.NODE)
    .option('-o, --objects <n>', 'objects for balance and movement (movement: at most 200k)', wholeNumber, 100_000)
    .option('-s, --shards <n>', 'shards that a speed is measured over', wholeNumber, 300_000)
    .option('--no-balance', 'do not measure balance')
    .option('--no-movement', 'do not measure movement')
    .option('--json', 'one JSON object per figure');
}

/** The program: parses arguments, runs, prints. */
export function main(argv: readonly string[]): Promise<void> {
  const options = placementPerfProgram().parse([...argv]).opts<PlacementPerfOptions>();
  const { speed, quality } = runPlacementPerf(options);
  printFigures(speed, options.json === true);
  if (options.json) for (const one of quality) process.stdout.write(`${qualityJson(one)}\n`);
  else process.stdout.write(`${qualityTable(quality)}\n`);
  return Promise.resolve();
}
