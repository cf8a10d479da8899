// Reads alertmanager.yml: strict fields, defaults, checks across sections. Errors name file, line and column.
import { Matcher, compareUtf8 } from '@watchfire/datamodel'
import { dirname } from 'node:path'
import { globalConfig } from './global.ts'
import { parseMatchers } from './matcher-text.ts'
import { NotificationTemplates, readTemplateFiles, type TemplateFile } from '../notify/templates/index.ts'
import { printConfig } from './print.ts'
import { readReceivers } from './receivers.ts'
import { readTimeInterval, type TimeInterval } from './time-interval.ts'
import type { AlertmanagerConfig, InhibitRuleConfig, RouteConfig } from './types.ts'
import { openYaml, type YamlCursor } from './yaml-cursor.ts'

/** Used when no configuration is given: everything goes to the built-in inbox, soon. */
export const DEFAULT_CONFIG_TEXT = `route:
  receiver: inbox
  group_by: [alertname]
  group_wait: 5s
  group_interval: 1m
  repeat_interval: 4h
receivers:
  - name: inbox
    inbox_configs:
      - {}
`

const ROUTE_FIELDS = [
  'receiver',
  'group_by',
  'matchers',
  'match',
  'match_re',
  'continue',
  'routes',
  'group_wait',
  'group_interval',
  'repeat_interval',
  'mute_time_intervals',
  'active_time_intervals',
  'labels',
] as const
const TOP_FIELDS = [
  'global',
  'route',
  'receivers',
  'inhibit_rules',
  'time_intervals',
  'mute_time_intervals',
  'templates',
] as const

/** Parses and checks; throws `ConfigError`. `path` is shown in messages. */
export function loadConfig(text: string, path: string): AlertmanagerConfig {
  const root = openYaml(text, path)
  const top = root.mapping('config.plain', TOP_FIELDS)
  const global = globalConfig.read(top.global)
  const receivers = readReceivers(top.receivers, global)
  const timeIntervals = readTimeIntervals([top.time_intervals, top.mute_time_intervals])
  if (!top.route.present) root.fail('no routes provided')
  const names = {
    receivers: new Set(receivers.map((receiver) => receiver.name)),
    intervals: new Set(timeIntervals.keys()),
  }
  const route = readRoute(top.route, names, 0)
  checkRoot(top.route, route)
  const config = {
    path,
    text,
    global,
    resolveTimeoutMs: global.resolve_timeout,
    route,
    receivers,
    inhibitRules: top.inhibit_rules.items().map(readInhibitRule),
    timeIntervals,
    templates: top.templates.strings(),
    templateFiles: readTemplates(top.templates, path),
  }
  return { ...config, printed: printConfig(config) }
}

/** Files of the patterns, which start at the configuration's folder; a mistake in one is a mistake here. */
function readTemplates(cursor: YamlCursor, path: string): TemplateFile[] {
  const patterns = cursor.strings()
  if (patterns.length === 0) return []
  try {
    const files = readTemplateFiles(patterns, dirname(path))
    new NotificationTemplates(() => 0, files)
    return files
  } catch (error) {
    return cursor.fail((error as Error).message)
  }
}

interface Names {
  readonly receivers: ReadonlySet<string>
  readonly intervals: ReadonlySet<string>
}

/** Deepest nesting of routes. */
const ROUTE_DEPTH_MAX = 100

function readRoute(cursor: YamlCursor, names: Names, depth: number): RouteConfig {
  if (depth > ROUTE_DEPTH_MAX) cursor.fail('routes are nested too deeply')
  const at = cursor.mapping('config.plain', ROUTE_FIELDS)
  const receiver = at.receiver.present ? at.receiver.string() : undefined
  if (receiver !== undefined && receiver !== '' && !names.receivers.has(receiver))
    at.receiver.fail(`undefined receiver "${receiver}" used in route`)
  const groupBy = at.group_by.present ? at.group_by.strings() : undefined
  const groupByAll = groupBy?.includes('...') ?? false
  if (groupByAll && groupBy!.length > 1)
    at.group_by.fail('cannot have wildcard group_by (`...`) and other labels at the same time')
  if (groupBy && new Set(groupBy).size !== groupBy.length)
    at.group_by.fail(
      `duplicated label "${groupBy.find((name, i) => groupBy.indexOf(name) !== i)}" in group_by`,
    )
  for (const name of [...at.mute_time_intervals.items(), ...at.active_time_intervals.items()])
    if (!names.intervals.has(name.string()))
      name.fail(`undefined time interval "${name.string()}" used in route`)
  const groupIntervalMs = at.group_interval.duration()
  if (groupIntervalMs === 0) at.group_interval.fail('group_interval cannot be zero')
  const repeatIntervalMs = at.repeat_interval.duration()
  if (repeatIntervalMs === 0) at.repeat_interval.fail('repeat_interval cannot be zero')
  return {
    receiver: receiver === '' ? undefined : receiver,
    matchers: sortMatchers([
      ...readMatchers(at.matchers),
      ...readMatch(at.match, '='),
      ...readMatch(at.match_re, '=~'),
    ]),
    groupBy: groupByAll ? [] : groupBy,
    groupByAll,
    groupWaitMs: at.group_wait.duration(),
    groupIntervalMs,
    repeatIntervalMs,
    continue: at.continue.boolean(false),
    labels: readRouteLabels(at.labels),
    muteTimeIntervals: at.mute_time_intervals.strings(),
    activeTimeIntervals: at.active_time_intervals.strings(),
    routes: at.routes.items().map((child) => readRoute(child, names, depth + 1)),
  }
}

function readRouteLabels(cursor: YamlCursor): Record<string, string> {
  return Object.fromEntries(
    cursor.entries().map(([name, value]) => {
      if (name === '') value.fail(`invalid label name ${JSON.stringify(name)} in route labels`)
      return [name, value.string()]
    }),
  )
}

function checkRoot(cursor: YamlCursor, route: RouteConfig): void {
  if (route.receiver === undefined) cursor.fail('root route must specify a default receiver')
  if (route.matchers.length > 0) cursor.fail('root route must not have any matchers')
  if (route.muteTimeIntervals.length > 0) cursor.fail('root route must not have any mute time intervals')
  if (route.activeTimeIntervals.length > 0) cursor.fail('root route must not have any active time intervals')
}

function readMatchers(cursor: YamlCursor): Matcher[] {
  return cursor.items().flatMap((item) => {
    try {
      return parseMatchers(item.string())
    } catch (error) {
      return item.fail((error as Error).message)
    }
  })
}

function readMatch(cursor: YamlCursor, type: '=' | '=~'): Matcher[] {
  return cursor.entries().map(([name, value]) => {
    try {
      const text = value.string()
      // Alertmanager shows these expressions, and keys of groups, with their anchors.
      return new Matcher(type, name, type === '=~' ? `^(?:${text})$` : text)
    } catch (error) {
      return value.fail((error as Error).message)
    }
  })
}

function sortMatchers(matchers: Matcher[]): Matcher[] {
  return matchers.sort(
    (a, b) => compareUtf8(a.name, b.name) || compareUtf8(a.value, b.value) || compareUtf8(a.type, b.type),
  )
}

function readInhibitRule(cursor: YamlCursor): InhibitRuleConfig {
  const at = cursor.mapping('config.InhibitRule', [
    'name',
    'source_match',
    'source_match_re',
    'source_matchers',
    'target_match',
    'target_match_re',
    'target_matchers',
    'equal',
  ])
  return {
    name: at.name.string(),
    sourceMatchers: [
      ...readMatch(at.source_match, '='),
      ...readMatch(at.source_match_re, '=~'),
      ...readMatchers(at.source_matchers),
    ],
    targetMatchers: [
      ...readMatch(at.target_match, '='),
      ...readMatch(at.target_match_re, '=~'),
      ...readMatchers(at.target_matchers),
    ],
    equal: at.equal.strings(),
  }
}

function readTimeIntervals(sections: readonly YamlCursor[]): Map<string, TimeInterval[]> {
  const intervals = new Map<string, TimeInterval[]>()
  for (const item of sections.flatMap((section) => section.items())) {
    const at = item.mapping('config.TimeInterval', ['name', 'time_intervals'])
    const name = at.name.string()
    if (name === '') item.fail('missing name in time interval')
    if (intervals.has(name)) item.fail(`time interval "${name}" is not unique`)
    intervals.set(name, at.time_intervals.items().map(readTimeInterval))
  }
  return intervals
}
