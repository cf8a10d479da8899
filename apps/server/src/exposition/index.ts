export { acceptHeader, createParser, fallbackMediaType, negotiateMediaType } from './negotiate.ts'
export {
  BUCKET_LIMIT_ERROR,
  SCHEMA_MAX,
  limitHistogram,
  schemaForFactor,
  type HistogramLimits,
} from './histogram.ts'
export { ClassicHistogram } from './nhcb.ts'
export { OpenMetricsParser } from './openmetrics-parser.ts'
export { TextParser } from './text-parser.ts'
export { formatOpenMetricsFloat, parseFloatText, quoteBytes } from './go-text.ts'
export {
  ExpositionError,
  duplicateLabel,
  type ConvertedSeries,
  type Entry,
  type ExpositionParser,
  type ParsedExemplar,
  type ParserOptions,
} from './types.ts'
