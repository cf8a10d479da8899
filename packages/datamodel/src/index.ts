export {
  Labels,
  LabelsBuilder,
  METRIC_NAME,
  compareUtf8,
  isLegacyLabelName,
  isLegacyMetricName,
  quoteLabelName,
  quoteString,
} from './labels.ts'
export { Matcher, matchesAll, type MatchType } from './matcher.ts'
export { RegexError, compileAnchored, compileRe2, type StringMatcher } from './regex.ts'
export { parseDuration, formatDuration } from './duration.ts'
export { systemClock, type Clock, type TimerHandle } from './clock.ts'
export { STALE_HIGH, STALE_LOW, staleMarker, isStale, setStale, formatGo, formatValue } from './sample.ts'
export {
  COUNTER_RESET,
  CUSTOM_BUCKETS_SCHEMA,
  type CounterResetHint,
  type FloatHistogram,
  type HistogramSample,
  type Span,
} from './histogram/types.ts'
export {
  APPEND,
  CHUNK_ENCODING,
  CHUNK_ROW_BYTES,
  ChunkReadError,
  MemoryBudgetError,
  type AppendResult,
  type Appender,
  type BatchAppender,
  type ByteArena,
  type Exemplar,
  type MetricMetadata,
  type MetricType,
  type NewestSample,
  type Querier,
  type Queryable,
  type SelectHints,
  type SeriesRef,
  type SeriesSelection,
} from './storage.ts'
export {
  EXPONENTIAL_SCHEMA_MAX,
  EXPONENTIAL_SCHEMA_MIN,
  bucketBound,
  expandSpans,
  exponentialBound,
  isExponentialSchema,
  reducedIndex,
  spansOf,
  usesCustomBuckets,
} from './histogram/bounds.ts'
export {
  allBuckets,
  fractionBelow,
  negativeBuckets,
  positiveBuckets,
  zeroBucket,
  type Bucket,
} from './histogram/buckets.ts'
export {
  HistogramSum,
  IncompatibleHistogramsError,
  addHistograms,
  commonBounds,
  compactHistogram,
  copyHistogram,
  detectReset,
  divideHistogram,
  equalHistograms,
  hasOverflow,
  kahanAdd,
  reduceResolution,
  scaleHistogram,
  subHistograms,
  type Combined,
} from './histogram/arithmetic.ts'
export { histogramFraction, histogramQuantile, type NanNote } from './histogram/quantile.ts'
export { trimHistogram } from './histogram/trim.ts'
export { histogramLiteral, histogramToString } from './histogram/print.ts'
export { histogramFault } from './histogram/validate.ts'
export type { Alert } from './alert.ts'
