// Prints the effective configuration as YAML for `/api/v2/status`. Passwords and tokens become <secret>, webhook
// addresses too: they often carry a token.
import { stringify } from 'yaml'
import { formatDuration } from '@watchfire/datamodel'
import { matcherText } from './matcher-text.ts'
import type { Range, TimeInterval } from './time-interval.ts'
import type { AlertmanagerConfig, ReceiverConfig, RouteConfig, WebhookConfig } from './types.ts'

const SECRET = '<secret>'

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
      global: { resolve_timeout: formatDuration(config.resolveTimeoutMs) },
      route: printRoute(config.route),
      ...(rules.length > 0 && { inhibit_rules: rules }),
      receivers: config.receivers.map(printReceiver),
      templates: [],
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
  }
}

function printReceiver(receiver: ReceiverConfig): object {
  return {
    name: receiver.name,
    labels: { name: receiver.name, ...receiver.labels },
    ...(receiver.webhooks.length > 0 && { webhook_configs: receiver.webhooks.map(printWebhook) }),
    ...(receiver.inboxes.length > 0 && {
      inbox_configs: receiver.inboxes.map((inbox) => ({ send_resolved: inbox.sendResolved })),
    }),
  }
}

function printWebhook(webhook: WebhookConfig): object {
  const { basicAuth, authorization, followRedirects } = webhook.http
  return {
    send_resolved: webhook.sendResolved,
    http_config: {
      ...(basicAuth && { basic_auth: { username: basicAuth.username, password: SECRET } }),
      ...(authorization && { authorization: { type: authorization.type, credentials: SECRET } }),
      follow_redirects: followRedirects,
      enable_http2: true,
    },
    url: webhook.url === '' ? '' : SECRET,
    url_file: webhook.urlFile,
    max_alerts: webhook.maxAlerts,
    timeout: formatDuration(webhook.timeoutMs),
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
