// The templates of one configuration: the default ones and those of the `templates` files, later ones replacing
// earlier ones of the same name. Texts of receivers run in this set.
import { parse, type Tags } from 'yaml'
import {
  HtmlEscaper,
  TemplateError,
  TemplateSet,
  alertmanagerFunctions,
  notificationValue,
  type ExecLimits,
  type Functions,
  type NotificationData,
} from '@watchfire/template'
import { DEFAULT_TEMPLATES } from './default-templates.ts'
import { EMAIL_TEMPLATE } from './email-template.ts'
import type { TemplateFile } from './template-files.ts'

/** Renders texts about one notification. All reject with `TemplateError`. */
export interface Renderer {
  text(template: string): Promise<string>
  /** With values escaped for HTML. */
  html(template: string): Promise<string>
  /** Every text inside a value; texts that read as YAML become what they say, e.g. numbers and lists. */
  deep(value: unknown): Promise<unknown>
}

/** Bounds of one rendering: no receiver takes more. */
const LIMITS: ExecLimits = { stepsMax: 1_000_000, outputMax: 4 * 1024 * 1024, depthMax: 200 }
/** Deepest nesting of a payload that is configured or rendered. */
const DEEP_MAX = 64

/** What is wrong with a text as a template, undefined when nothing. */
export function checkTemplate(text: string): string | undefined {
  try {
    new TemplateSet(alertmanagerFunctions(() => 0)).add('', text)
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}

export class NotificationTemplates {
  readonly #now: () => number
  readonly #set: TemplateSet

  /** `now` gives ms. Throws `TemplateError` naming the file. */
  constructor(now: () => number, files: readonly TemplateFile[] = []) {
    this.#now = now
    this.#set = new TemplateSet(alertmanagerFunctions(now))
    this.#set.add('', DEFAULT_TEMPLATES)
    this.#set.add('', EMAIL_TEMPLATE)
    for (const { name, text } of files) this.#set.add(name, text)
  }

  renderer(data: NotificationData): Renderer {
    const labels = data.routeLabels
    const functions = alertmanagerFunctions(this.#now, (name) =>
      Object.hasOwn(labels, name) ? labels[name]! : '',
    )
    return this.#rendererWith(functions, data)
  }

  /** Renders the labels of a route for its group; they may refer to each other with `routeLabels`. */
  async routeLabels(
    labels: Readonly<Record<string, string>>,
    data: NotificationData,
  ): Promise<Record<string, string>> {
    const rendered = new Map<string, string>()
    const busy: string[] = []
    const resolve = async (name: string): Promise<string> => {
      const known = rendered.get(name)
      if (known !== undefined || !Object.hasOwn(labels, name)) return known ?? ''
      if (busy.includes(name))
        throw new TemplateError(`route label cycle detected: ${[...busy, name].join(' -> ')}`)
      busy.push(name)
      const text = await renderer.text(labels[name]!)
      busy.pop()
      rendered.set(name, text)
      return text
    }
    const renderer = this.#rendererWith(alertmanagerFunctions(this.#now, resolve), {
      ...data,
      routeLabels: labels,
    })
    const out: Record<string, string> = {}
    for (const name of Object.keys(labels).sort()) out[name] = await resolve(name)
    return out
  }

  #rendererWith(functions: Functions, data: NotificationData): Renderer {
    const set = this.#set.withFunctions(functions)
    const dot = notificationValue(data)
    const options = { ...LIMITS, missingKey: 'zero' as const }
    const text = (template: string) => set.executeText(template, dot, options)
    return {
      text,
      async html(template) {
        const escaper = new HtmlEscaper()
        if (!template.includes('{{')) return escaper.literal(template)
        return set.executeText(template, dot, { ...options, escaper })
      },
      deep: (value) => renderDeep(value, text, 0),
    }
  }
}

async function renderDeep(
  value: unknown,
  text: (template: string) => Promise<string>,
  depth: number,
): Promise<unknown> {
  if (depth > DEEP_MAX) throw new TemplateError('payload is nested too deeply')
  if (typeof value === 'string') return asYaml(await text(value))
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) items.push(await renderDeep(item, text, depth + 1))
    return items
  }
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = []
  for (const [key, item] of Object.entries(value))
    entries.push([await text(key), await renderDeep(item, text, depth + 1)])
  return sortedRecord(entries)
}

/** YAML 1.1 without its times: `12:30` and dates stay texts. */
const YAML_OPTIONS = {
  version: '1.1',
  maxAliasCount: 0,
  logLevel: 'silent',
  customTags: (tags: Tags) =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith('timestamp')),
    ),
} as const

/** A text as it is, unless YAML makes something else of it. */
function asYaml(text: string): unknown {
  let value: unknown
  try {
    value = parse(text, YAML_OPTIONS)
  } catch {
    return text
  }
  return typeof value === 'string' || value === undefined ? text : value
}

/** Go writes maps in order of their keys. */
function sortedRecord(entries: readonly [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
