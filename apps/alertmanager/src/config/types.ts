// The configuration of the Alertmanager after loading. Durations in ms; secrets are plain here and never printed.
import type { Matcher } from '@watchfire/datamodel'
import type { TimeInterval } from './time-interval.ts'

export interface AlertmanagerConfig {
  /** Where it was read from, for messages. */
  readonly path: string
  /** The text as loaded. */
  readonly text: string
  readonly resolveTimeoutMs: number
  readonly route: RouteConfig
  readonly receivers: readonly ReceiverConfig[]
  readonly inhibitRules: readonly InhibitRuleConfig[]
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
  readonly muteTimeIntervals: readonly string[]
  readonly activeTimeIntervals: readonly string[]
  readonly routes: readonly RouteConfig[]
}

export interface ReceiverConfig {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly webhooks: readonly WebhookConfig[]
  readonly inboxes: readonly InboxConfig[]
}

export interface WebhookConfig {
  /** '' when the address is in `urlFile`. */
  readonly url: string
  /** Read anew for every message. */
  readonly urlFile: string
  readonly sendResolved: boolean
  /** Most alerts in a message, 0 = all. */
  readonly maxAlerts: number
  /** 0 = as long as the notification may take. */
  readonly timeoutMs: number
  readonly http: OutgoingHttpConfig
}

export interface OutgoingHttpConfig {
  readonly basicAuth?: { readonly username: string; readonly password: string; readonly passwordFile: string }
  readonly authorization?: {
    readonly type: string
    readonly credentials: string
    readonly credentialsFile: string
  }
  readonly tls?: {
    readonly caFile: string
    readonly certFile: string
    readonly keyFile: string
    readonly serverName: string
    readonly insecureSkipVerify: boolean
  }
  readonly followRedirects: boolean
  readonly headers: Readonly<Record<string, readonly string[]>>
}

export interface InboxConfig {
  readonly sendResolved: boolean
}

export interface InhibitRuleConfig {
  readonly name: string
  readonly sourceMatchers: readonly Matcher[]
  readonly targetMatchers: readonly Matcher[]
  readonly equal: readonly string[]
}
