// What every discovery is given.
import type { Logger } from '../logger.ts'
import type { TargetGroup } from './contract.ts'
import type { DiscoveryEvents } from './events.ts'

export interface DiscoveryContext {
  /** Name of the (first) pool that uses the discovery, for logs and metrics. */
  readonly pool: string
  readonly logger: Logger
  readonly events: DiscoveryEvents
  /** Sent as User-Agent. */
  readonly userAgent: string
  /** All groups, whenever they changed. */
  readonly onGroups: (groups: readonly TargetGroup[]) => void
}

/** Text of an error with what it is about, for the log. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  return error.message || (first === undefined ? error.name : reasonOf(first))
}

/** Anything but letters, digits and `_` becomes `_`, as in the names of meta labels. */
export function sanitizeLabelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/gu, '_')
}

/** `host:port` with brackets around IPv6 addresses. */
export function joinHostPort(host: string, port: number | string): string {
  return host.includes(':') || host.includes('%') ? `[${host}]:${port}` : `${host}:${port}`
}
