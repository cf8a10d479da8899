// Prints the effective configuration as YAML for `/api/v2/status`. Passwords, tokens and addresses that carry one become
// <secret>.
import { stringify } from 'yaml'
import { formatDuration } from '@watchfire/datamodel'
import { globalConfig } from './global.ts'
import { matcherText } from './matcher-text.ts'
import type { Range, TimeInterval } from './time-interval.ts'
import type { AlertmanagerConfig, ReceiverConfig, RouteConfig } from './types.ts'

/** YAML text in the order of Alertmanager. */
export function printConfig(config: Omit<AlertmanagerConfig, 'printed'>): string {
  const intervals = [...config.timeIntervals].map(([name, parts]) => ({
    name,
    time_intervals: parts.map(printInterval),
  }))
  const rules = config.inhibitRules.map((rule) => ({
    ...(rule.name !== '' && { name: rule.name }),
    source_matchers: rule.sourceMatchers.map(matcherText),
    target_matchers: rule.targetMatchers.map(matcherText),
    ...(rule.equal.length > 0 && { equal: rule.equal }),
  }))
  return stringify(
    {
      global: globalConfig.print(config.global),
      route: printRoute(config.route),
      ...(rules.length > 0 && { inhibit_rules: rules }),
      receivers: config.receivers.map(printReceiver),
      templates: config.templates,
      ...(intervals.length > 0 && { time_intervals: intervals }),
    },
    { indentSeq: false, lineWidth: 0 },
  )
}

function printRoute(route: RouteConfig): object {
  const duration = (name: string, ms: number | undefined) =>
    ms === undefined ? {} : { [name]: formatDuration(ms) }
  const list = (name: string, items: readonly unknown[] | undefined) =>
    items && items.length > 0 ? { [name]: items } : {}
  return {
    ...(route.receiver !== undefined && { receiver: route.receiver }),
    ...list('group_by', route.groupByAll ? ['...'] : route.groupBy),
    ...list('matchers', route.matchers.map(matcherText)),
    ...list('mute_time_intervals', route.muteTimeIntervals),
    ...list('active_time_intervals', route.activeTimeIntervals),
    continue: route.continue,
    ...list('routes', route.routes.map(printRoute)),
    ...duration('group_wait', route.groupWaitMs),
    ...duration('group_interval', route.groupIntervalMs),
    ...duration('repeat_interval', route.repeatIntervalMs),
    ...(Object.keys(route.labels).length > 0 && { labels: route.labels }),
  }
}

function printReceiver(receiver: ReceiverConfig): object {
  const sections: Record<string, unknown[]> = {}
  for (const integration of receiver.integrations)
    (sections[`${integration.kind}_configs`] ??= []).push(integration.print())
  return {
    name: receiver.name,
    labels: { name: receiver.name, ...receiver.labels },
    ...sections,
  }
}

const DAY_NAMES = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

function printInterval(interval: TimeInterval): object {
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  const ranges = (name: string, list: readonly Range[] | undefined, show: (n: number) => string = String) =>
    !list || list.length === 0
      ? {}
      : { [name]: list.map((r) => (r.first === r.last ? show(r.first) : `${show(r.first)}:${show(r.last)}`)) }
  return {
    ...(interval.times &&
      interval.times.length > 0 && {
        times: interval.times.map((r) => ({ start_time: clock(r.first), end_time: clock(r.last) })),
      }),
    ...ranges('weekdays', interval.weekdays, (day) => DAY_NAMES[day]!),
    ...ranges('days_of_month', interval.daysOfMonth),
    ...ranges('months', interval.months),
    ...ranges('years', interval.years),
    ...(interval.location !== '' && { location: interval.location }),
  }
}
