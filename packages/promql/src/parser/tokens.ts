// Kinds of tokens and how error messages name them. The type of a keyword, an operator or a punctuation mark is its
// own (lower case) text; the other types are the words of `TokenClass`.
import { quoteString } from '@watchfire/datamodel'
import { utf8Length } from './error.ts'

export type TokenClass =
  'identifier' | 'metric identifier' | 'string' | 'number' | 'duration' | 'end of input'

export interface Token {
  /** A `TokenClass`, or the text of a keyword, operator or mark. */
  readonly type: string
  /** As written. */
  readonly text: string
  readonly start: number
  readonly end: number
}

export const AGGREGATORS: ReadonlySet<string> = new Set(
  'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio'.split(
    ' ',
  ),
)

/** Aggregations whose first argument is a parameter. */
export const PARAMETER_AGGREGATORS: ReadonlySet<string> = new Set(
  'topk bottomk count_values quantile limitk limit_ratio'.split(' '),
)

export const EXPERIMENTAL_AGGREGATORS: ReadonlySet<string> = new Set(['limitk', 'limit_ratio'])

const MODIFIERS =
  'bool by group_left group_right fill fill_left fill_right ignoring offset smoothed anchored on without'.split(
    ' ',
  )
const MODIFIER_SET: ReadonlySet<string> = new Set(MODIFIERS)
const WORD_OPERATORS = ['and', 'or', 'unless', 'atan2']
const CLOCK_WORDS = ['start', 'end', 'step', 'range', 'max_of', 'min_of']

/** Words that are also names of functions; a call when `(` follows. */
export const CALLABLE_WORDS: ReadonlySet<string> = new Set(CLOCK_WORDS)

/** All words with a meaning of their own, in lower case. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...AGGREGATORS,
  ...MODIFIERS,
  ...WORD_OPERATORS,
  ...CLOCK_WORDS,
])

/** Words usable as the name of a metric. */
export const METRIC_WORDS: ReadonlySet<string> = new Set(
  [...KEYWORDS].filter(
    (word) => !['atan2', 'bool', 'group_left', 'group_right', 'ignoring', 'on'].includes(word),
  ),
)

/** Words usable as a label in `by (…)` and the like. */
export const LABEL_WORDS: ReadonlySet<string> = new Set([...KEYWORDS].filter((word) => word !== 'without'))

/** Words usable within `[…]`. */
export const DURATION_WORDS: ReadonlySet<string> = new Set(['step', 'range', 'max_of', 'min_of'])

/** Keys of a histogram literal; the type of their tokens is `key ` and the key. */
export const HISTOGRAM_KEYS: readonly string[] =
  'sum count schema offset n_offset buckets n_buckets z_bucket z_bucket_w custom_values counter_reset_hint'.split(
    ' ',
  )
export const KEY_PREFIX = 'key '
/** Prometheus has no names for these keys in messages: it shows their token numbers, counting up in this order. */
const FIRST_KEY_NUMBER = 57370

const OPERATORS: ReadonlySet<string> = new Set([
  ...'+ - * / % ^ == != <= < >= > </ >/ =~ !~ @'.split(' '),
  ...WORD_OPERATORS,
])

const CLASSES: ReadonlySet<string> = new Set<TokenClass>([
  'identifier',
  'metric identifier',
  'string',
  'number',
  'duration',
])

/** Names a token for a message: `identifier "x"`, `<op:+>`, `<aggr:sum>`, `<by>`, `")"`. */
export function describeToken(token: Token): string {
  if (token.type === 'end of input') return token.type
  if (token.type === 'identifier' || token.type === 'metric identifier')
    return `${token.type} ${quoteString(token.text)}`
  if (CLASSES.has(token.type)) return `${token.type} ${quoteShort(token.text)}`
  if (MODIFIER_SET.has(token.type)) return `<${token.text}>`
  if (OPERATORS.has(token.type)) return `<op:${token.text}>`
  if (AGGREGATORS.has(token.type)) return `<aggr:${token.text}>`
  const key = HISTOGRAM_KEYS.indexOf(token.type.slice(KEY_PREFIX.length))
  if (token.type.startsWith(KEY_PREFIX) && key >= 0)
    return `"<Item ${FIRST_KEY_NUMBER + key}>" ${quoteShort(token.text)}`
  return quoteShort(token.text)
}

function quoteShort(text: string): string {
  return utf8Length(text) > 10 ? `${quoteString([...text].slice(0, 10).join(''))}...` : quoteString(text)
}

const RUNE_ESCAPES: Readonly<Record<string, string>> = {
  "'": "\\'",
  '\\': '\\\\',
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
}

/** A character in single quotes, as Go's `%q` prints a rune; '' stands for the end of the input. */
export function quoteRune(char: string): string {
  if (char === '') return "'\ufffd'"
  if (char === '"') return `'"'`
  return `'${RUNE_ESCAPES[char] ?? quoteString(char).slice(1, -1)}'`
}

/** A character as Go's `%#U` prints it: `U+0063 'c'`. */
export function namedRune(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char) ? `${name} '${char}'` : name
}
