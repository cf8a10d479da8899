// The tables amtool prints: simple, extended, or JSON as the API gave it.
import { compareUtf8 } from '@watchfire/datamodel'
import { GoTime } from '@watchfire/template'
import { goJson } from '../notify/message.ts'

export interface ApiMatcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual?: boolean
}

export interface ApiSilence {
  readonly id: string
  readonly matchers: readonly ApiMatcher[]
  readonly startsAt: string
  readonly endsAt: string
  readonly updatedAt: string
  readonly createdBy: string
  readonly comment: string
}

export interface ApiAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
  readonly status: { readonly state: string }
}

export interface ApiStatus {
  readonly cluster: {
    readonly status: string
    readonly name?: string
    readonly peers?: readonly { readonly name: string; readonly address: string }[]
  }
  readonly config: { readonly original: string }
  readonly uptime: string
  readonly versionInfo: Readonly<Record<string, string>>
}

export type OutputKind = 'simple' | 'extended' | 'json'

/** Go's tabwriter with padding 2: cells end with a tab; a column goes on while lines have it. */
export function tabulate(lines: readonly (readonly string[])[]): string {
  const out = lines.map(() => '')
  const place = (from: number, to: number, column: number) => {
    for (let i = from; i < to;) {
      const hasCell = (line: number) => lines[line]!.length - 1 > column
      if (!hasCell(i)) {
        out[i] += lines[i]![column] ?? ''
        i++
        continue
      }
      let end = i
      while (end < to && hasCell(end)) end++
      const width = Math.max(...lines.slice(i, end).map((line) => [...line[column]!].length)) + 2
      for (let line = i; line < end; line++) {
        const cell = lines[line]![column]!
        out[line] += cell + ' '.repeat(width - [...cell].length)
      }
      place(i, end, column + 1)
      i = end
    }
  }
  place(0, lines.length, 0)
  return out.map((line) => `${line}\n`).join('')
}

function operator({ isRegex, isEqual = true }: ApiMatcher): string {
  return isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!='
}

const showMatcher = (matcher: ApiMatcher) =>
  `${matcher.name}${operator(matcher)}${JSON.stringify(matcher.value)}`
const showPairs = (pairs: Readonly<Record<string, string>>) =>
  Object.entries(pairs)
    .map(([name, value]) => `${name}="${value}"`)
    .sort(compareUtf8)
    .join(' ')

export interface FormatOptions {
  readonly kind: OutputKind
  /** A Go layout. */
  readonly dateFormat: string
}

const dateOf = (time: string, { dateFormat }: FormatOptions) =>
  GoTime.fromMs(Date.parse(time)).layout(dateFormat)

export function formatAlerts(alerts: readonly ApiAlert[], options: FormatOptions): string {
  if (options.kind === 'json') return goJson(alerts)
  const date = (time: string) => dateOf(time, options)
  const rows = alerts.toSorted((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))
  if (options.kind === 'simple')
    return tabulate([
      ['Alertname', 'Starts At', 'Summary', 'State', ''],
      ...rows.map(({ labels, annotations, startsAt, status }) => [
        labels.alertname ?? '',
        date(startsAt),
        annotations.summary ?? '',
        status.state,
        '',
      ]),
    ])
  return tabulate([
    ['Labels', 'Annotations', 'Starts At', 'Ends At', 'Generator URL', 'State', ''],
    ...rows.map((alert) => [
      showPairs(alert.labels),
      showPairs(alert.annotations),
      date(alert.startsAt),
      date(alert.endsAt),
      alert.generatorURL ?? '',
      alert.status.state,
      '',
    ]),
  ])
}

export function formatSilences(silences: readonly ApiSilence[], options: FormatOptions): string {
  if (options.kind === 'json') return goJson(silences)
  const date = (time: string) => dateOf(time, options)
  const rows = silences.toSorted((a, b) => Date.parse(a.endsAt) - Date.parse(b.endsAt))
  if (options.kind === 'simple')
    return tabulate([
      ['ID', 'Matchers', 'Ends At', 'Created By', 'Comment', ''],
      ...rows.map((silence) => [
        silence.id,
        silence.matchers.map(showMatcher).join(' '),
        date(silence.endsAt),
        silence.createdBy,
        silence.comment,
        '',
      ]),
    ])
  return tabulate([
    ['ID', 'Matchers', 'Starts At', 'Ends At', 'Updated At', 'Created By', 'Comment', ''],
    ...rows.map((silence) => [
      silence.id,
      `{${silence.matchers.map(showMatcher).join(',')}}`,
      date(silence.startsAt),
      date(silence.endsAt),
      date(silence.updatedAt),
      silence.createdBy,
      silence.comment,
      '',
    ]),
  ])
}

export function formatConfig(status: ApiStatus, { kind }: FormatOptions): string {
  if (kind === 'json') return goJson(status)
  const { versionInfo, config, uptime } = status
  if (kind === 'simple') return `${config.original}\n`
  const names = ['buildUser', 'goVersion', 'revision', 'version', 'branch', 'buildDate']
  const lines = names.map((name) => `${name} ${versionInfo[name] ?? ''}`)
  return `${[config.original, ...lines, `uptime ${uptime}`].join('\n')}\n`
}

export function formatCluster({ cluster }: ApiStatus, { kind }: FormatOptions): string {
  if (kind === 'json') return goJson(cluster)
  const head = [
    ['Cluster Status:', cluster.status],
    ['Node Name:', cluster.name ?? ''],
  ]
  if (kind === 'simple') return tabulate(head)
  const peers = (cluster.peers ?? []).toSorted((a, b) => compareUtf8(a.address, b.address))
  return tabulate([
    ...head,
    [''],
    ['Address', 'Name'],
    ...peers.map(({ address, name }) => [address, name, '']),
  ])
}
