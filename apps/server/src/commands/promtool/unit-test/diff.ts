// A coloured difference of two JSON documents on the console: what is only expected is red, what is only found is
// green, changed values are yellow with both sides.
import type { Labels } from '@watchfire/datamodel'

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

const RED = '\u001b[0;31m'
const GREEN = '\u001b[0;32m'
const YELLOW = '\u001b[0;33m'
const END = '\u001b[0m'
const INDENT = '    '

/** Alerts as JSON; an empty list shows as one alert without labels. */
export function alertsJson(
  alerts: readonly { readonly labels: Labels; readonly annotations: Labels }[],
): Json {
  if (alerts.length === 0) return [{ Annotations: {}, Labels: {} }]
  return alerts.map(({ labels, annotations }) => ({
    Annotations: annotations.toObject(),
    Labels: labels.toObject(),
  }))
}

/** The whole of both documents with the differences marked. */
export function diffText(wanted: Json, got: Json): string {
  return compare(wanted, got, '')
}

function compare(wanted: Json, got: Json, indent: string): string {
  if (isList(wanted) && isList(got)) {
    const length = Math.max(wanted.length, got.length)
    const items = Array.from({ length }, (_, i) => side(wanted[i], got[i], indent + INDENT, ''))
    return block('[', items, ']', indent)
  }
  if (isObject(wanted) && isObject(got)) {
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(got)])].sort()
    const items = names.map((name) =>
      side(wanted[name], got[name], indent + INDENT, `${JSON.stringify(name)}: `),
    )
    return block('{', items, '}', indent)
  }
  if (JSON.stringify(wanted) === JSON.stringify(got)) return plain(got, indent)
  return `${YELLOW}${plain(wanted, indent)} => ${plain(got, indent)}${END}`
}

function side(wanted: Json | undefined, got: Json | undefined, indent: string, name: string): string {
  if (wanted === undefined) return `${GREEN}${name}${plain(got ?? null, indent)}${END}`
  if (got === undefined) return `${RED}${name}${plain(wanted, indent)}${END}`
  return name + compare(wanted, got, indent)
}

function plain(value: Json, indent: string): string {
  if (isList(value))
    return block(
      '[',
      value.map((item) => plain(item, indent + INDENT)),
      ']',
      indent,
    )
  if (!isObject(value)) return JSON.stringify(value)
  const items = Object.entries(value).map(
    ([name, item]) => `${JSON.stringify(name)}: ${plain(item, indent + INDENT)}`,
  )
  return block('{', items, '}', indent)
}

function block(open: string, items: readonly string[], close: string, indent: string): string {
  if (items.length === 0) return open + close
  return `${open}\n${items.map((item) => indent + INDENT + item).join(',\n')}\n${indent}${close}`
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
