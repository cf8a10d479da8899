// Metrics for Node services: counter, gauge, histogram (classic and native), summary; text, OpenMetrics and protobuf.
export { Counter, CounterSeries, type CounterOptions } from './counter.ts'
export { Gauge, GaugeSeries, type GaugeOptions } from './gauge.ts'
export {
  DEFAULT_BUCKETS,
  Histogram,
  HistogramSeries,
  exponentialBuckets,
  linearBuckets,
  type HistogramOptions,
} from './histogram.ts'
export { Summary, SummarySeries } from './summary.ts'
export { Registry, register, type Exposition, type RegistryOptions } from './registry.ts'
export {
  OPENMETRICS_CONTENT_TYPE,
  PROTOBUF_CONTENT_TYPE,
  TEXT_CONTENT_TYPE,
  negotiate,
} from './render/negotiate.ts'
export { NativeBuckets, NativeLayout, type NativeOptions } from './native/buckets.ts'
export { bucketBound, bucketIndex, schemaOfGrowthFactor } from './native/schema.ts'
export { collectDefaultMetrics, type DefaultMetricsOptions } from './process-metrics.ts'
export type { Exemplar, LabelValues, MetricOptions, MetricRegister, MetricType } from './types.ts'
