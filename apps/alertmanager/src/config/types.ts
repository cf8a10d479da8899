// The configuration of the Alertmanager after loading. Durations in ms; secrets are plain here and never printed.
import type { Matcher } from '@watchfire/datamodel'
import type { ConfiguredIntegration } from '../notify/receivers/index.ts'
import type { TemplateFile } from '../notify/templates/index.ts'
import type { GlobalConfig } from './global.ts'
import type { TimeInterval } from './time-interval.ts'

export interface AlertmanagerConfig {
  /** Where it was read from, for messages. */
  readonly path: string
  /** The text as loaded. */
  readonly text: string
  readonly global: GlobalConfig
  readonly resolveTimeoutMs: number
  readonly route: RouteConfig
  readonly receivers: readonly ReceiverConfig[]
  readonly inhibitRules: readonly InhibitRuleConfig[]
  /** Patterns of template files as written. */
  readonly templates: readonly string[]
  /** The files as they were when the configuration was loaded. */
  readonly templateFiles: readonly TemplateFile[]
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  /** The effective configuration as YAML, secrets masked. */
  readonly printed: string
}

/** A node of the routing tree as written; what is undefined is inherited. */
export interface RouteConfig {
  readonly receiver: string | undefined
  /** All three notations together, sorted. */
  readonly matchers: readonly Matcher[]
  readonly groupBy: readonly string[] | undefined
  readonly groupByAll: boolean
  readonly groupWaitMs: number | undefined
  readonly groupIntervalMs: number | undefined
  readonly repeatIntervalMs: number | undefined
  readonly continue: boolean
  /** Templates; children inherit what they do not set. */
  readonly labels: Readonly<Record<string, string>>
  readonly muteTimeIntervals: readonly string[]
  readonly activeTimeIntervals: readonly string[]
  readonly routes: readonly RouteConfig[]
}

export interface ReceiverConfig {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** In the order in which they are told. */
  readonly integrations: readonly ConfiguredIntegration[]
}

export interface InhibitRuleConfig {
  readonly name: string
  readonly sourceMatchers: readonly Matcher[]
  readonly targetMatchers: readonly Matcher[]
  readonly equal: readonly string[]
}
