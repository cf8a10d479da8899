// Dashboard variables: their values, and `$name`, `${name}`, `${name:format}`, `[[name]]` in queries.
import { formatDuration } from '@watchfire/datamodel'
import { apiGet, type LabelSet } from '../api/client.ts'
import type { VariableModel } from './model.ts'

export const ALL = '$__all'

/** Values chosen, by variable. */
export type Chosen = Readonly<Record<string, readonly string[]>>

/** What `label_values(selector, label)`, `label_values(label)` or `label_names()` of a query variable gives now; custom ones list their values. */
export async function variableOptions(
  variable: VariableModel,
  base: string,
  from: number,
  to: number,
): Promise<string[]> {
  const query =
    typeof variable.query === 'string' ? variable.query : (variable.query?.query ?? variable.definition ?? '')
  const window = { start: String(from / 1000), end: String(to / 1000) }
  if (variable.type === 'custom' || variable.type === 'interval')
    return query
      .split(',')
      .map((part) => part.split(':').at(-1)!.trim())
      .filter(Boolean)
  if (variable.type === 'constant' || variable.type === 'textbox') return [query]
  if (variable.type !== 'query') return []
  const two = /^label_values\((.+),\s*([^,\s]+)\s*\)$/s.exec(query.trim())
  if (two) {
    const answer = await apiGet<LabelSet[]>('series', { 'match[]': two[1]!.trim(), ...window }, { base })
    return distinct(answer.data.map((labels) => labels[two[2]!] ?? ''))
  }
  const one = /^label_values\(\s*([^,\s)]+)\s*\)$/.exec(query.trim())
  if (one)
    return distinct(
      (await apiGet<string[]>(`label/${encodeURIComponent(one[1]!)}/values`, window, { base })).data,
    )
  if (/^label_names\(/.test(query.trim()))
    return distinct((await apiGet<string[]>('labels', window, { base })).data)
  return []
}

function distinct(values: string[]): string[] {
  return [...new Set(values)]
    .filter((value) => value !== '')
    .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
}

/** The values a dashboard starts with. */
export function initialChoice(variable: VariableModel, address: readonly string[]): readonly string[] {
  if (address.length > 0) return address
  const value = variable.current?.value
  if (Array.isArray(value)) return value.map(String)
  if (value !== undefined && value !== null && value !== '') return [String(value)]
  return variable.includeAll ? [ALL] : []
}

export interface Builtin {
  readonly rangeMs: number
  readonly intervalS: number
  readonly scrapeIntervalS: number
  readonly from: number
  readonly to: number
}

/** Fills variables and Grafana's own (`$__interval`, `$__rate_interval`, `$__range` …) into a query. */
export function interpolate(
  text: string,
  variables: readonly VariableModel[],
  chosen: Chosen,
  options: Readonly<Record<string, readonly string[]>>,
  builtin: Builtin,
): string {
  const seconds = (s: number): string => formatDuration(Math.max(1, Math.round(s)) * 1000)
  const own: Record<string, string> = {
    __interval: seconds(builtin.intervalS),
    __interval_ms: String(builtin.intervalS * 1000),
    __rate_interval: seconds(
      Math.max(builtin.intervalS + builtin.scrapeIntervalS, 4 * builtin.scrapeIntervalS),
    ),
    __range: seconds(builtin.rangeMs / 1000),
    __range_s: String(Math.round(builtin.rangeMs / 1000)),
    __range_ms: String(builtin.rangeMs),
    __from: String(builtin.from),
    __to: String(builtin.to),
  }
  return text.replace(
    /\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g,
    (all: string, ...groups: (string | undefined)[]) => {
      const name = groups[0] ?? groups[2] ?? groups[4]!
      if (own[name] !== undefined) return own[name]
      const variable = variables.find((one) => one.name === name)
      if (!variable) return all
      return formatValues(variable, chosen[name] ?? [], options[name] ?? [], groups[1] ?? groups[3])
    },
  )
}

function formatValues(
  variable: VariableModel,
  chosen: readonly string[],
  options: readonly string[],
  format: string | undefined,
): string {
  const all = chosen.includes(ALL)
  if (all && variable.allValue) return variable.allValue
  const values = all ? options : chosen
  switch (format) {
    case 'raw':
    case 'csv':
      return values.join(',')
    case 'pipe':
      return values.join('|')
    case 'json':
      return JSON.stringify(values)
    default: {
      // For Prometheus: one value as it is, several as an alternation of literals.
      if (values.length === 1 && !variable.multi && !variable.includeAll && format !== 'regex')
        return values[0]!
      const literals = values.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\\\$&'))
      return literals.length === 1 ? literals[0]! : `(${literals.join('|')})`
    }
  }
}

/** Grafana's legend: `{{label}}` filled in, `__auto` or nothing = the whole series. */
export function legendName(format: string | undefined, metric: LabelSet, fallback: string): string {
  if (!format || format === '__auto') return fallback
  return format.replace(/\{\{\s*([^}\s]+)\s*\}\}/g, (_all, name: string) => metric[name] ?? '')
}
