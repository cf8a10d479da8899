// A job's configuration made ready for its loops, and what every loop needs from outside.
import type { Appender, Clock, Labels } from '@watchfire/datamodel'
import type { ScrapeConfig } from '../config/types.ts'
import { acceptHeader, fallbackMediaType, schemaForFactor, type ParserOptions } from '../exposition/index.ts'
import { compileRelabel, type CompiledRelabel } from '../relabel/index.ts'
import type { AppendPolicy } from './append-body.ts'
import type { ScrapeCounters, Summary } from './metrics.ts'
import type { Target } from './target.ts'
import type { TextScanner } from './text-scanner.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void

/** Options of the server that concern scraping. */
export interface ScrapeOptions {
  /** Bodies above this fail whatever the job allows: protects the process from endless bodies and gzip bombs. */
  readonly bodySizeCeiling: number
  readonly exemplars: boolean
  /** Feature created-timestamp-zero-ingestion. */
  readonly startTimestampZero: boolean
  /** Feature type-and-unit-labels. */
  readonly typeAndUnitLabels: boolean
  /** Feature extra-scrape-metrics. */
  readonly extraScrapeMetrics: boolean
  /** Sent as User-Agent. */
  readonly userAgent: string
}

export const DEFAULT_SCRAPE_OPTIONS: ScrapeOptions = {
  bodySizeCeiling: 64 * 1024 * 1024,
  exemplars: false,
  startTimestampZero: false,
  typeAndUnitLabels: false,
  extraScrapeMetrics: false,
  userAgent: 'Prometheus/3.14.0',
}

/** What loops share. */
export interface LoopContext {
  readonly clock: Clock
  /** Opens a commit on the database. */
  readonly appender: () => Appender
  readonly counters: ScrapeCounters
  /** Seconds between scrapes, by interval. */
  readonly intervalLengths: Map<string, Summary>
  readonly options: ScrapeOptions
  readonly log: Log
  /** Scans bodies of known shape; without one every body is parsed. */
  readonly scanner?: TextScanner | undefined
}

/** Everything about a job that does not depend on the target. */
export interface JobSettings {
  readonly config: ScrapeConfig
  readonly targetRules: readonly CompiledRelabel[]
  readonly metricRules: readonly CompiledRelabel[]
  readonly escapingScheme: string
  readonly bodySizeMax: number
  readonly extraMetrics: boolean
}

/** Compiles a job. Throws for rules that do not compile. */
export function jobSettings(config: ScrapeConfig, options: ScrapeOptions): JobSettings {
  const validation = config.metricNameValidationScheme
  const { bodySizeLimit } = config
  return {
    config,
    targetRules: compileRelabel(config.relabelConfigs, { validation }),
    metricRules: compileRelabel(config.metricRelabelConfigs, { validation }),
    escapingScheme:
      config.metricNameEscapingScheme === ''
        ? validation === 'legacy'
          ? 'underscores'
          : 'allow-utf-8'
        : config.metricNameEscapingScheme,
    bodySizeMax:
      bodySizeLimit === 0 ? options.bodySizeCeiling : Math.min(bodySizeLimit, options.bodySizeCeiling),
    extraMetrics: config.extraScrapeMetrics === true || options.extraScrapeMetrics,
  }
}

/** Stored labels and limits of a target's samples. */
export function appendPolicy(job: JobSettings, labels: Labels, options: ScrapeOptions): AppendPolicy {
  const { config } = job
  return {
    labels: {
      target: labels,
      honorLabels: config.honorLabels,
      metricRelabel: job.metricRules,
      validation: config.metricNameValidationScheme,
      labelLimit: config.labelLimit,
      labelNameLengthLimit: config.labelNameLengthLimit,
      labelValueLengthLimit: config.labelValueLengthLimit,
    },
    honorTimestamps: config.honorTimestamps,
    trackTimestampsStaleness: config.trackTimestampsStaleness,
    sampleLimit: config.sampleLimit,
    histograms: {
      bucketsMax: config.nativeHistogramBucketLimit,
      schemaMax: schemaForFactor(config.nativeHistogramMinBucketFactor),
    },
    exemplars: options.exemplars,
    startTimestampZero: options.startTimestampZero,
  }
}

/** How a target's body is parsed. */
export function parserOptions(job: JobSettings, target: Target, options: ScrapeOptions): ParserOptions {
  return {
    typeAndUnitLabels: options.typeAndUnitLabels,
    ignoreNativeHistograms: !target.scrapeNativeHistograms,
    convertClassicToNhcb: target.convertClassicHistogramsToNhcb,
    keepClassic: target.alwaysScrapeClassicHistograms,
    skipStartTimestampSeries: options.startTimestampZero,
    fallbackContentType: fallbackMediaType(job.config.fallbackScrapeProtocol),
  }
}

/** The `Accept` header: protobuf first where native histograms are wanted and the list is the default one. */
export function acceptOf(job: JobSettings): string {
  return acceptHeader(job.config.scrapeProtocols, job.escapingScheme)
}
