// Reading JSON that strangers wrote: every access checks, and what has the wrong shape counts as absent.

export type JsonObject = Readonly<Record<string, unknown>>

const NOTHING: JsonObject = Object.freeze({})

/** The object, or an empty one. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : NOTHING
}

/** A field that the object has itself. */
export function at(value: unknown, name: string): unknown {
  const object = objectOf(value)
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** The object at a field, or undefined. */
export function childOf(value: unknown, name: string): JsonObject | undefined {
  const child = at(value, name)
  return typeof child === 'object' && child !== null && !Array.isArray(child)
    ? (child as JsonObject)
    : undefined
}

/** Text at a field, or ''. */
export function textAt(value: unknown, name: string): string {
  return optionalTextAt(value, name) ?? ''
}

export function optionalTextAt(value: unknown, name: string): string | undefined {
  const child = at(value, name)
  return typeof child === 'string' ? wellFormed(child) : undefined
}

/** A whole number at a field that fits 32 bits. */
export function optionalIntAt(value: unknown, name: string): number | undefined {
  const child = at(value, name)
  return typeof child === 'number' && Number.isInteger(child) && Math.abs(child) < 2 ** 31 ? child : undefined
}

export function optionalBoolAt(value: unknown, name: string): boolean | undefined {
  const child = at(value, name)
  return typeof child === 'boolean' ? child : undefined
}

export function listAt(value: unknown, name: string): readonly unknown[] {
  const child = at(value, name)
  return Array.isArray(child) ? child : []
}

export function textsAt(value: unknown, name: string): readonly string[] {
  return listAt(value, name).flatMap((item) => (typeof item === 'string' ? [wellFormed(item)] : []))
}

/** Names with texts at a field. */
export function textMapAt(value: unknown, name: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  for (const [key, item] of Object.entries(objectOf(at(value, name))))
    if (typeof item === 'string') out.set(wellFormed(key), wellFormed(item))
  return out
}

/** Lone surrogates would not survive as UTF-8. */
function wellFormed(text: string): string {
  return /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text
}
