// The functions of Prometheus's alert templates, and the expansion of one annotation or label.
import { parseDuration } from '@watchfire/datamodel'
import { BUILTINS, queryEscape } from './builtins.ts'
import { GoDuration, toFloat, toInt64 } from './duration.ts'
import { FunctionError } from './errors.ts'
import { executeTree, type ExecLimits, type Functions } from './exec.ts'
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  toTime,
} from './humanize.ts'
import { parseTrees, type TemplateTree } from './parser.ts'
import { match, reReplaceAll, textFunction, title, toLower, toUpper } from './text-functions.ts'
import {
  GoMap,
  GoSlice,
  GoStruct,
  SafeHtml,
  TemplateObject,
  compareStrings,
  stringMap,
  type Callable,
  type Value,
} from './values.ts'

/** One sample of a query's answer. `value` is the text of a native histogram where it is no float. */
export interface TemplateSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | string
}

export interface PrometheusContext {
  /** Evaluation time, ms. */
  readonly nowMs: number
  /** How people reach this server, e.g. `http://localhost:9090/prom`. */
  readonly externalUrl: string
  /** Answers `query "…"`; a rejection becomes the function's error. */
  readonly query: (expr: string) => Promise<readonly TemplateSample[]>
}

class HistogramText extends TemplateObject {
  readonly goType = '*histogram.FloatHistogram'
  readonly #text: string
  constructor(text: string) {
    super()
    this.#text = text
  }
  override format(): string {
    return this.#text
  }
}

class Sample extends GoStruct {
  readonly labels: Readonly<Record<string, string>>
  readonly value: Value
  constructor(sample: TemplateSample) {
    const value = typeof sample.value === 'number' ? sample.value : new HistogramText(sample.value)
    super('*template.sample', { Labels: stringMap(sample.labels), Value: value })
    this.labels = sample.labels
    this.value = value
  }
}

/** A sample as templates see it. */
export function templateSample(sample: TemplateSample): Value {
  return new Sample(sample)
}

const vector = (samples: readonly Value[]) => new GoSlice('template.queryResult', samples)
const number = (call: (value: number) => Value): Callable => ({
  params: ['any'],
  call: ([value]) => call(toFloat(value)),
})
const onSample = (call: (sample: Sample) => Value): Callable => ({
  params: ['*template.sample'],
  call: ([sample]) => call(sample as Sample),
})

/** All functions an alert template may call. */
export function prometheusFunctions(context: PrometheusContext): Functions {
  const { nowMs, externalUrl } = context
  const own: Record<string, Callable> = {
    query: {
      params: ['string'],
      call: async ([expr]) => {
        try {
          return vector((await context.query(expr as string)).map(templateSample))
        } catch (error) {
          throw new FunctionError(error instanceof Error ? error.message : String(error))
        }
      },
    },
    first: {
      params: ['template.queryResult'],
      call: ([result]) => {
        const { items } = result as GoSlice
        if (items.length === 0) throw new FunctionError('first() called on vector with no elements')
        return items[0]
      },
    },
    label: {
      params: ['string', '*template.sample'],
      call: ([name, sample]) => (sample as Sample).labels[name as string] ?? '',
    },
    value: onSample((sample) => sample.value),
    strvalue: onSample((sample) => sample.labels.__value__ ?? ''),
    sortByLabel: {
      params: ['string', 'template.queryResult'],
      call: ([name, result]) => {
        const text = (sample: Value) => (sample as Sample).labels[name as string] ?? ''
        return vector((result as GoSlice).items.toSorted((a, b) => compareStrings(text(a), text(b))))
      },
    },
    args: {
      params: ['any'],
      variadic: true,
      call: (args) => new GoMap(args.map((arg, i) => [`arg${i}`, arg] as const)),
    },
    reReplaceAll: textFunction(3, reReplaceAll),
    match: textFunction(2, match),
    safeHtml: textFunction(1, (text) => new SafeHtml(text)),
    title: textFunction(1, title),
    toUpper: textFunction(1, toUpper),
    toLower: textFunction(1, toLower),
    graphLink: textFunction(1, (expr) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=0`),
    tableLink: textFunction(1, (expr) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`),
    urlQueryEscape: textFunction(1, queryEscape),
    stripPort: textFunction(1, (address) => splitHostPort(address)?.host ?? address),
    stripDomain: textFunction(1, stripDomain),
    humanize: number(humanize),
    humanize1024: number(humanize1024),
    humanizeDuration: number(humanizeDuration),
    humanizePercentage: number(humanizePercentage),
    humanizeTimestamp: number(humanizeTimestamp),
    toTime: number(toTime),
    toDuration: number((seconds) => new GoDuration(toInt64(seconds * 1e9))),
    now: { params: [], call: () => nowMs / 1000 },
    pathPrefix: { params: [], call: () => pathOf(externalUrl) },
    externalURL: { params: [], call: () => externalUrl },
    parseDuration: textFunction(1, durationSeconds),
  }
  return new Map([...Object.entries(BUILTINS), ...Object.entries(own)])
}

function durationSeconds(text: string): number {
  const negative = text.startsWith('-')
  try {
    return ((negative ? -1 : 1) * parseDuration(negative ? text.slice(1) : text)) / 1000
  } catch (error) {
    throw new FunctionError((error as Error).message)
  }
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/^\/$/, '') : ''
}

function splitHostPort(address: string): { host: string; port: string } | undefined {
  const bracketed = /^\[([^[\]]*)\]:([^:[\]]*)$/.exec(address)
  if (bracketed) return { host: bracketed[1]!, port: bracketed[2]! }
  const plain = /^([^:[\]]*):([^:[\]]*)$/.exec(address)
  return plain ? { host: plain[1]!, port: plain[2]! } : undefined
}

function stripDomain(address: string): string {
  const { host, port } = splitHostPort(address) ?? { host: address, port: '' }
  const isIp = /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || (host.includes(':') && /^[0-9a-fA-F:.]+$/.test(host))
  if (isIp) return address
  const short = host.split('.')[0]!
  return port === '' ? short : `${short}:${port}`
}

/** Defined before every alert template. */
const PREFIX =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}'
const DATA_TYPE =
  'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }'

/** What an alert template sees. */
export interface AlertTemplateData {
  readonly labels: Readonly<Record<string, string>>
  readonly externalLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
  /** A float, or the text of a native histogram. */
  readonly value: number | string
}

const NAMES = new Set(prometheusFunctions({ nowMs: 0, externalUrl: '', query: async () => [] }).keys())

/** A parsed annotation or label of an alerting rule. */
export class AlertTemplate {
  readonly name: string
  readonly #trees: ReadonlyMap<string, TemplateTree>

  /** Throws `TemplateError`. `name` shows in messages, e.g. `__alert_HighErrors`. */
  constructor(name: string, text: string) {
    this.name = name
    this.#trees = parseTrees(name, PREFIX + text, (fn) => NAMES.has(fn))
  }

  /** Rejects with `TemplateError`. */
  expand(data: AlertTemplateData, context: PrometheusContext, limits: ExecLimits = {}): Promise<string> {
    const value = typeof data.value === 'number' ? data.value : new HistogramText(data.value)
    const dot = new GoStruct(DATA_TYPE, {
      Labels: stringMap(data.labels),
      ExternalLabels: stringMap(data.externalLabels),
      ExternalURL: data.externalUrl,
      Value: value,
    })
    const options = { ...limits, missingKey: 'zero' as const }
    return executeTree(this.#trees.get(this.name)!, this.#trees, prometheusFunctions(context), dot, options)
  }
}
