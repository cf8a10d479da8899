// What a rule of the linter works with: the query, the knowledge, and where findings go.
import { parseExpr, positionText, printExpr, type Expr, type ParserOptions } from '@watchfire/promql/parser'
import type { Finding, RuleName, Severity } from './finding.ts'
import type { Knowledge } from './knowledge.ts'

/** Looks at one node; called for every node of the tree. `parents` begins with the root. */
export type LintRule = (node: Expr, parents: readonly Expr[], context: LintContext) => void

/** Where a finding is. */
type Place = Pick<Expr, 'start' | 'end'>

export interface Report {
  readonly rule: RuleName
  readonly severity: Severity
  readonly at: Place
  readonly message: string
  /** What stands instead of `replaces` (default: `at`) in the corrected query. */
  readonly instead?: Expr | string
  readonly replaces?: Place
}

export class LintContext {
  readonly knowledge: Knowledge
  readonly findings: Finding[] = []
  readonly #source: string
  readonly #parser: ParserOptions

  constructor(source: string, knowledge: Knowledge, parser: ParserOptions) {
    this.#source = source
    this.knowledge = knowledge
    this.#parser = parser
  }

  /** The text of a node as written. */
  text({ start, end }: Place): string {
    return this.#source.slice(start, end).trim()
  }

  report({ rule, severity, at, message, instead, replaces = at }: Report): void {
    const { start, end } = at
    const proposal = instead === undefined ? undefined : this.#corrected(replaces, instead)
    this.findings.push({
      rule,
      severity,
      start,
      end,
      position: positionText(this.#source, start),
      message,
      ...(proposal !== undefined && { proposal }),
    })
  }

  /** The whole query with one place changed; undefined when it would be no query. */
  #corrected({ start, end }: Place, instead: Expr | string): string | undefined {
    const text = typeof instead === 'string' ? instead : printExpr(instead)
    const query = this.#source.slice(0, start) + text + this.#source.slice(end)
    try {
      parseExpr(query, this.#parser)
      return query
    } catch {
      return undefined
    }
  }
}
