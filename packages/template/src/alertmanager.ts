// The functions of Alertmanager's notification templates, and its data: key-value sets, alerts, notifications.
import { BUILTINS } from './builtins.ts'
import { GoDuration, toFloat } from './duration.ts'
import { FunctionError } from './errors.ts'
import type { Functions } from './exec.ts'
import { humanizeDuration } from './humanize.ts'
import { match, reReplaceAll, textFunction, toLower, toUpper } from './text-functions.ts'
import { GoTime, isLocation } from './time.ts'
import { parseTime } from './time-parse.ts'
import {
  GoMap,
  GoSlice,
  GoStruct,
  SafeHtml,
  SafeUrl,
  TemplateObject,
  formatValue,
  itemsOf,
  typeName,
  type Callable,
  type Value,
} from './values.ts'

const time = (call: (time: GoTime) => Value): Callable => ({
  params: ['time.Time'],
  call: ([value]) => call(value as GoTime),
})

/** All functions a notification template may call. `now` gives ms; `routeLabel` the group's route labels. */
export function alertmanagerFunctions(
  now: () => number,
  routeLabel: (name: string) => string | Promise<string> = () => '',
): Functions {
  const own: Record<string, Callable> = {
    toUpper: textFunction(1, toUpper),
    toLower: textFunction(1, toLower),
    title: textFunction(1, titleWords),
    trimSpace: textFunction(1, (text) => text.trim()),
    join: {
      params: ['string', '[]string'],
      call: ([separator, texts]) => itemsOf(texts)!.join(separator as string),
    },
    match: textFunction(2, match),
    safeHtml: textFunction(1, (text) => new SafeHtml(text)),
    safeUrl: textFunction(1, (text) => new SafeUrl(text)),
    // Route labels are rendered when the group is told; a notification only looks them up.
    routeLabels: { params: ['string'], call: ([name]) => routeLabel(name as string) },
    urlUnescape: textFunction(1, urlUnescape),
    reReplaceAll: textFunction(3, reReplaceAll),
    stringSlice: { params: ['string'], variadic: true, call: (texts) => new GoSlice('[]string', texts) },
    date: {
      params: ['string', 'time.Time'],
      call: ([layout, at]) => (at as GoTime).layout(layout as string),
    },
    tz: {
      params: ['string', 'time.Time'],
      call: ([location, at]) => {
        if (!isLocation(location as string))
          throw new FunctionError(`unknown time zone ${location as string}`)
        return new GoTime((at as GoTime).ns, location as string)
      },
    },
    since: time((at) => new GoDuration(GoTime.fromMs(now()).ns - at.ns)),
    now: { params: [], call: () => GoTime.fromMs(now()) },
    humanizeDuration: { params: ['any'], call: ([value]) => humanizeDuration(toFloat(value)) },
    toDate: textFunction(2, (layout, text) => {
      try {
        return parseTime(layout, text)
      } catch {
        return GoTime.ZERO
      }
    }),
    mustToDate: textFunction(2, parseTime),
    toJson: { params: ['any'], call: ([value]) => escapeJson(JSON.stringify(toJson(value))) },
    list: { params: ['any'], variadic: true, call: (items) => [...items] },
    append: {
      params: ['any', 'any'],
      variadic: true,
      call: ([list, ...items]) => [...(itemsOf(list) ?? notAList(list)), ...items],
    },
    dict: { params: ['any'], variadic: true, call: dict },
    base64encode: textFunction(1, (text) => toBase64(text)),
    base64decode: textFunction(1, (text) => fromBase64(text)),
  }
  return new Map([...Object.entries(BUILTINS), ...Object.entries(own)])
}

function notAList(value: Value): never {
  throw new FunctionError(`Cannot push on type ${typeName(value)}`)
}

function urlUnescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new FunctionError(`invalid URL escape ${JSON.stringify(text)}`)
  }
}

function dict(args: readonly Value[]): Value {
  if (args.length % 2 !== 0) throw new FunctionError('dict requires an even number of arguments')
  const entries: [string, Value][] = []
  for (let i = 0; i < args.length; i += 2) {
    const key = args[i]
    if (typeof key !== 'string') throw new FunctionError('dict keys must be strings')
    entries.push([key, args[i + 1]])
  }
  return new GoMap(entries)
}

/** The alphabet for URLs, with padding. */
function toBase64(text: string): string {
  const plain = btoa(String.fromCharCode(...new TextEncoder().encode(text)))
  return plain.replaceAll('+', '-').replaceAll('/', '_')
}

function fromBase64(text: string): string {
  try {
    if (/[+/]/.test(text) || text.length % 4 !== 0) throw new Error('alphabet')
    const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder().decode(Uint8Array.from(plain, (char) => char.charCodeAt(0)))
  } catch {
    throw new FunctionError('illegal base64 data')
  }
}

/** Words with a large first letter and small others. */
function titleWords(text: string): string {
  return text.replace(/[\p{L}\p{N}\p{M}_]+(?:['’.:·][\p{L}\p{M}]+)*/gu, (word) => {
    const [first = '', ...others] = [...word]
    return toUpper(first) + toLower(others.join(''))
  })
}

/** Names of the fields in JSON, where they are not those of Go. */
const JSON_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'template.Alert': { GeneratorURL: 'generatorURL' },
  'template.Data': { ExternalURL: 'externalURL', NotificationReason: 'notification_reason' },
}
/** Order of a notification's fields in JSON. */
const DATA_ORDER = [
  'Receiver',
  'Status',
  'Alerts',
  'NotificationReason',
  'GroupLabels',
  'CommonLabels',
  'CommonAnnotations',
  'RouteLabels',
  'ExternalURL',
]

function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  const items = value === undefined ? undefined : itemsOf(value)
  if (items) return items.map(toJson)
  if (value instanceof GoMap)
    return Object.fromEntries([...value.entries].map(([key, item]) => [key, toJson(item)]))
  if (value instanceof GoStruct) return structToJson(value)
  if (value instanceof GoTime) return value.layout('2006-01-02T15:04:05.999999999Z07:00')
  if (value instanceof GoDuration) return Number(value.ns)
  return value instanceof TemplateObject ? formatValue(value) : (value ?? null)
}

function structToJson(value: GoStruct): object {
  const names = JSON_NAMES[value.goType]
  const isPair = value.goType === 'template.Pair'
  const order = value.goType === 'template.Data' ? DATA_ORDER : [...value.fields.keys()]
  return Object.fromEntries(
    order.map((field) => [
      isPair ? field : (names?.[field] ?? field[0]!.toLowerCase() + field.slice(1)),
      toJson(value.fields.get(field)),
    ]),
  )
}

function escapeJson(text: string): string {
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const method = (call: () => Value): Callable => ({ params: [], call })

/** Texts that can be joined: `.GroupLabels.Values.Join ":"`. */
function strings(texts: readonly string[]): GoSlice {
  return new GoSlice('[]string', texts, {
    Join: { params: ['string'], call: ([separator]) => texts.join(separator as string) },
  })
}

type Pair = readonly [string, string]

/** Pairs in order, as `SortedPairs` and `Remove` give them. */
function pairsOf(pairs: readonly Pair[]): GoSlice {
  const items = pairs.map(([name, value]) => new GoStruct('template.Pair', { Name: name, Value: value }))
  class Pairs extends GoSlice {
    override format(): string {
      return pairs.map(([name, value]) => `${name}=${value}`).join(', ')
    }
  }
  return new Pairs('template.Pairs', items, {
    Names: method(() => strings(pairs.map(([name]) => name))),
    Values: method(() => strings(pairs.map(([, value]) => value))),
  })
}

/** A set of labels or annotations; alertname comes first where it is sorted. */
export function keyValues(map: Readonly<Record<string, string>>): GoMap {
  const sorted = (): Pair[] => {
    const entries = new GoMap(Object.entries(map)).entries as ReadonlyMap<string, string>
    const first = entries.get('alertname')
    const others = [...entries].filter(([name]) => name !== 'alertname')
    return first === undefined ? others : [['alertname', first], ...others]
  }
  return new GoMap(Object.entries(map), {
    goType: 'template.KV',
    zero: '',
    format: () => pairsOf(sorted()).format(),
    methods: {
      SortedPairs: method(() => pairsOf(sorted())),
      Names: method(() => strings(sorted().map(([name]) => name))),
      Values: method(() => strings(sorted().map(([, value]) => value))),
      String: method(() => pairsOf(sorted()).format()),
      Remove: {
        params: ['[]string'],
        call: ([names]) => {
          const gone = new Set(itemsOf(names))
          return keyValues(Object.fromEntries(Object.entries(map).filter(([name]) => !gone.has(name))))
        },
      },
    },
  })
}

/** An alert as notification templates see it. Times in ms; `endsAt` 0 while it fires. */
export interface TemplateAlert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: number
  readonly endsAt: number
  readonly generatorUrl: string
  readonly fingerprint: string
}

export interface NotificationData {
  readonly receiver: string
  readonly status: 'firing' | 'resolved'
  readonly alerts: readonly TemplateAlert[]
  readonly groupLabels: Readonly<Record<string, string>>
  readonly commonLabels: Readonly<Record<string, string>>
  readonly commonAnnotations: Readonly<Record<string, string>>
  readonly routeLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
  readonly reason: string
}

function alertList(alerts: readonly TemplateAlert[]): GoSlice {
  const goTime = (timeMs: number) => (timeMs === 0 ? GoTime.ZERO : GoTime.fromMs(timeMs))
  const items = alerts.map(
    (alert) =>
      new GoStruct('template.Alert', {
        Status: alert.status,
        Labels: keyValues(alert.labels),
        Annotations: keyValues(alert.annotations),
        StartsAt: goTime(alert.startsAt),
        EndsAt: goTime(alert.endsAt),
        GeneratorURL: alert.generatorUrl,
        Fingerprint: alert.fingerprint,
      }),
  )
  const withStatus = (status: string) =>
    method(() => alertList(alerts.filter((alert) => alert.status === status)))
  return new GoSlice('template.Alerts', items, {
    Firing: withStatus('firing'),
    Resolved: withStatus('resolved'),
  })
}

/** The dot of a notification template. */
export function notificationValue(data: NotificationData): Value {
  return new GoStruct('template.Data', {
    Receiver: data.receiver,
    Status: data.status,
    Alerts: alertList(data.alerts),
    GroupLabels: keyValues(data.groupLabels),
    CommonLabels: keyValues(data.commonLabels),
    CommonAnnotations: keyValues(data.commonAnnotations),
    RouteLabels: keyValues(data.routeLabels),
    ExternalURL: data.externalUrl,
    NotificationReason: data.reason,
  })
}
