// Query parameters of API v2.
import { Matcher, RegexError, type StringMatcher } from '@watchfire/datamodel'
import { parseMatcher, regexFault } from '../config/index.ts'
import { ApiError } from './body.ts'

export interface Filter {
  readonly matchers: readonly Matcher[]
  /** Anchored pattern for names of receivers. */
  readonly receiver: StringMatcher | undefined
  readonly receiverMatchers: readonly Matcher[]
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

function all(query: Query, name: string): readonly string[] {
  const value = query[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

/** true when absent; of the words only those for yes are true. */
export function readFlag(query: Query, name: string): boolean {
  const value = all(query, name).at(-1)
  if (value === undefined || value === '') return true
  return /^(true|1|t|yes|y|on|ok|checked|selected|enabled)$/i.test(value)
}

export function readMatchers(query: Query, name: string): Matcher[] {
  return all(query, name)
    .filter((text) => text !== '')
    .map((text) => {
      try {
        return parseMatcher(text)
      } catch (error) {
        throw new ApiError(400, (error as Error).message)
      }
    })
}

export function readFilter(query: Query): Filter {
  const receiver = all(query, 'receiver').at(-1)
  return {
    matchers: readMatchers(query, 'filter'),
    receiver: receiver ? compileReceiver(receiver) : undefined,
    receiverMatchers: readMatchers(query, 'receiver_matchers'),
  }
}

function compileReceiver(pattern: string): StringMatcher {
  try {
    return new Matcher('=~', 'receiver', pattern).regex!
  } catch (error) {
    if (!(error instanceof RegexError)) throw error
    throw new ApiError(400, `failed to parse receiver param: ${regexFault(pattern, error)}`)
  }
}
