// The routing tree with everything inherited, and the walk that finds the routes of an alert.
import { matchesAll, type Labels, type Matcher } from '@watchfire/datamodel'
import { matchersText, type RouteConfig } from '../config/index.ts'

export interface Route {
  readonly receiver: string
  readonly matchers: readonly Matcher[]
  readonly groupBy: ReadonlySet<string>
  readonly groupByAll: boolean
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  readonly continue: boolean
  readonly muteTimeIntervals: readonly string[]
  readonly activeTimeIntervals: readonly string[]
  /** Templates of the labels that notifications of this route carry; inherited. */
  readonly labels: Readonly<Record<string, string>>
  readonly children: readonly Route[]
  /** `{}/{team="ml"}`: part of the group key, the same after a restart. */
  readonly key: string
  /** Unique even where two routes have equal matchers. */
  readonly id: string
}

const ROOT_DEFAULTS = { groupWaitMs: 30_000, groupIntervalMs: 300_000, repeatIntervalMs: 14_400_000 }

/** Builds the tree; children inherit receiver, grouping and timers. */
export function buildRoute(config: RouteConfig, parent?: Route, index = 0): Route {
  const own = matchersText(config.matchers)
  const children: Route[] = []
  const route: Route = {
    receiver: config.receiver ?? parent?.receiver ?? '',
    matchers: config.matchers,
    groupBy: config.groupBy ? new Set(config.groupBy) : (parent?.groupBy ?? new Set()),
    groupByAll: config.groupBy ? config.groupByAll : (parent?.groupByAll ?? false),
    groupWaitMs: config.groupWaitMs ?? parent?.groupWaitMs ?? ROOT_DEFAULTS.groupWaitMs,
    groupIntervalMs: config.groupIntervalMs ?? parent?.groupIntervalMs ?? ROOT_DEFAULTS.groupIntervalMs,
    repeatIntervalMs: config.repeatIntervalMs ?? parent?.repeatIntervalMs ?? ROOT_DEFAULTS.repeatIntervalMs,
    continue: config.continue,
    muteTimeIntervals: config.muteTimeIntervals,
    activeTimeIntervals: config.activeTimeIntervals,
    labels: { ...parent?.labels, ...config.labels },
    children,
    key: parent ? `${parent.key}/${own}` : own,
    id: parent ? `${parent.id}/${own}/${index}` : own,
  }
  config.routes.forEach((child, i) => children.push(buildRoute(child, route, i)))
  return route
}

/** Routes an alert lands in, depth first: the first matching child takes it unless it says `continue`. */
export function matchRoutes(route: Route, labels: Labels): Route[] {
  if (!matchesAll(route.matchers, labels)) return []
  const found: Route[] = []
  for (const child of route.children) {
    const matches = matchRoutes(child, labels)
    found.push(...matches)
    if (matches.length > 0 && !child.continue) break
  }
  return found.length > 0 ? found : [route]
}

/** The labels that name an alert's group on a route. */
export function groupLabelsOf(route: Route, labels: Labels): Labels {
  return route.groupByAll ? labels : labels.keep(route.groupBy)
}
