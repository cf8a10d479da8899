// Fields of configuration sections. A section says once what it holds; reading (strict, with places in messages),
// defaults and printing (secrets masked, what is empty left out) follow from that.
import { formatDuration } from '@watchfire/datamodel'
import type { YamlCursor } from './yaml-cursor.ts'

/** What is shown instead of a password, token or address with a token. */
export const SECRET = '<secret>'

/** One field: how it is read, and how the effective configuration shows it (undefined = not at all). */
export interface Field<T> {
  read(cursor: YamlCursor): T
  print(value: T): unknown
}

export type Fields = Readonly<Record<string, Field<unknown>>>
export type ValueOf<F> = F extends Field<infer T> ? T : never
/** What a section reads as: the fields under their names in the file. */
export type SectionValue<S extends Fields> = { readonly [K in keyof S]: ValueOf<S[K]> }

/** A mapping that may hold only these fields. `check` sees what was read, for rules across fields. */
export function section<S extends Fields>(
  type: string,
  fields: S,
  check?: (value: SectionValue<S>, at: YamlCursor) => void,
): Field<SectionValue<S>> {
  const names = Object.keys(fields)
  return {
    read(cursor) {
      const at = cursor.mapping(type, names)
      const value = Object.fromEntries(names.map((name) => [name, fields[name]!.read(at[name]!)]))
      const typed = value as SectionValue<S>
      check?.(typed, cursor)
      return typed
    },
    print: (value) =>
      Object.fromEntries(
        names
          .map((name) => [name, fields[name]!.print(value[name])] as const)
          .filter(([, shown]) => shown !== undefined),
      ),
  }
}

/** A text, usually a template. */
export const text = (fallback = ''): Field<string> => ({
  read: (cursor) => cursor.string(fallback),
  print: (value) => (value === '' ? undefined : value),
})

/** A password or token. */
export const secret = (): Field<string> => ({
  read: (cursor) => cursor.string(),
  print: (value) => (value === '' ? undefined : SECRET),
})

/** An http address; '' when absent. With a secret inside it is masked. */
export const url = (kind: 'plain' | 'secret' = 'plain', fallback = ''): Field<string> => ({
  read(cursor) {
    const address = cursor.string(fallback)
    // A printed configuration can be read again.
    if (address === '' || (kind === 'secret' && address === SECRET)) return address
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase()
    if (scheme !== 'http' && scheme !== 'https') cursor.fail(`unsupported scheme "${scheme ?? ''}" for URL`)
    if (!URL.canParse(address)) cursor.fail('missing host for URL')
    return address
  },
  print: (value) => (value === '' ? undefined : kind === 'secret' ? SECRET : value),
})

export const flag = (fallback = false): Field<boolean> => ({
  read: (cursor) => cursor.boolean(fallback),
  print: (value) => value || undefined,
})

/** A flag that may be left to somebody else. */
export const optionalFlag = (): Field<boolean | undefined> => ({
  read: (cursor) => (cursor.present ? cursor.boolean(false) : undefined),
  print: (value) => value,
})

/** A whole number that is not negative. */
export const count = (fallback = 0): Field<number> => ({
  read: (cursor) => cursor.count(fallback),
  print: (value) => value || undefined,
})

/** A duration, in ms. */
export const duration = (fallback = 0): Field<number> => ({
  read: (cursor) => cursor.duration() ?? fallback,
  print: (value) => (value === 0 ? undefined : formatDuration(value)),
})

/** Shown even when it is empty. */
export const shown = <T>(field: Field<T>, empty: unknown): Field<T> => ({
  read: (cursor) => field.read(cursor),
  print: (value) => field.print(value) ?? empty,
})

export const strings = (): Field<readonly string[]> => ({
  read: (cursor) => cursor.strings(),
  print: (value) => (value.length === 0 ? undefined : value),
})

/** Names and texts. */
export const texts = (): Field<Readonly<Record<string, string>>> => ({
  read: (cursor) => Object.fromEntries(cursor.entries().map(([name, value]) => [name, value.string()])),
  print: (value) => (Object.keys(value).length === 0 ? undefined : value),
})

/** Whatever is written. */
export const anything = (): Field<unknown> => ({
  read: (cursor) => cursor.plain(),
  print: (value) => value ?? undefined,
})

export const list = <T>(item: Field<T>): Field<readonly T[]> => ({
  read: (cursor) => cursor.items().map((one) => item.read(one)),
  print: (value) => (value.length === 0 ? undefined : value.map((one) => item.print(one))),
})

/** A section that may be absent. */
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  read: (cursor) => (cursor.present ? field.read(cursor) : undefined),
  print: (value) => (value === undefined ? undefined : field.print(value)),
})

/** Refuses two fields at once, as in `api_key` and `api_key_file`. */
export function atMostOne(
  at: YamlCursor,
  value: Readonly<Record<string, unknown>>,
  a: string,
  b: string,
): void {
  if (value[a] && value[b]) at.fail(`at most one of ${a} & ${b} must be configured`)
}
