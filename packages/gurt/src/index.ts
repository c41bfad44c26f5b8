export { AssertionError, assert, assertNever, unreachable } from './assert.js';
export { systemClock, type Clock, type Timer } from './clock.js';
export { configureLogging, getLogger, logLevelOf, type LogFields, type Logger, type LogOptions } from './log.js';
export { LOG_FACILITIES, LogLevel, LogMask, logLevelParse } from './log_mask.js';
export { LruMap } from './lru_map.js';
export { seededRandom, systemRandom, type Random } from './random.js';
export { RateLimit } from './rate_limit.js';
export type {
  Counter, Gauge, HistogramShape, MetricInfo, MetricSnapshot, MetricStats, MetricType, StatsGauge, Timestamp,
} from './metric.js';
export { prometheusText, type MetricSource } from './prometheus.js';
export { Telemetry, telemetry } from './telemetry.js';
