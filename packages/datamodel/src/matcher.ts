// Label matchers of selectors, silences and routes.
import { compileAnchored, type StringMatcher } from './regex.ts'
import { quoteLabelName, quoteString, type Labels } from './labels.ts'

export type MatchType = '=' | '!=' | '=~' | '!~'

/** One condition on one label; a label that does not exist has the value ''. */
export class Matcher {
  readonly type: MatchType
  readonly name: string
  readonly value: string
  /** Set for `=~` and `!~`. */
  readonly regex: StringMatcher | undefined

  /** Throws `RegexError` for a pattern that RE2 refuses. */
  constructor(type: MatchType, name: string, value: string) {
    this.type = type
    this.name = name
    this.value = value
    this.regex = type === '=~' || type === '!~' ? compileAnchored(value) : undefined
  }

  matches(value: string): boolean {
    switch (this.type) {
      case '=':
        return value === this.value
      case '!=':
        return value !== this.value
      case '=~':
        return this.regex!.matches(value)
      case '!~':
        return !this.regex!.matches(value)
    }
  }

  /** True when a series without the label is selected too. */
  matchesEmpty(): boolean {
    return this.matches('')
  }

  toString(): string {
    return `${quoteLabelName(this.name)}${this.type}${quoteString(this.value)}`
  }
}

/** True when all matchers accept the label set. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)))
}
