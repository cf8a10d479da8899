// `promtool check rules`: reads rule files to their end, tells everything that is wrong, and finds rules given twice.
import { Labels } from '@watchfire/datamodel'
import type { ParserOptions } from '@watchfire/promql/parser'
import { ConfigError } from '../../config/errors.ts'
import { readText } from '../../config/index.ts'
import { createLogger } from '../../logger.ts'
import { checkRuleFile, type RuleFileCheck } from '../../rules/index.ts'
import { EXIT, type Io } from './io.ts'

export interface RuleLint {
  readonly duplicates: boolean
  /** Lint problems end with a code of their own. */
  readonly fatal: boolean
  readonly ignoreUnknownFields: boolean
  readonly parser: ParserOptions
}

/** What a check came to. Lint problems fail too, but are no errors. */
export interface Verdict {
  readonly failed: boolean
  readonly errors: boolean
}

/** Reads `--lint`; unknown words get a warning. */
export function parseRuleLint(options: string, io: Io): boolean {
  let duplicates = false
  for (const option of options === '' ? [] : options.split(',')) {
    if (option === 'all' || option === 'duplicate-rules') duplicates = true
    else if (option !== 'none') io.out(`WARNING: unknown lint option: ${JSON.stringify(option)}\n`)
  }
  return duplicates
}

/** The exit code of a verdict. */
export function exitCode({ failed, errors }: Verdict, fatalLint: boolean): number {
  if (failed && errors) return EXIT.failure
  return failed && fatalLint ? EXIT.lint : EXIT.success
}

/** The command; without files standard input is checked. */
export async function checkRules(files: readonly string[], lint: RuleLint, io: Io): Promise<number> {
  const verdict = files.length === 0 ? await checkStdin(lint, io) : checkRuleFiles(files, lint, io)
  return exitCode(verdict, lint.fatal)
}

/** Checks files one after the other and prints how each went. */
export function checkRuleFiles(files: readonly string[], lint: RuleLint, io: Io): Verdict {
  let failed = false
  let errors = false
  for (const path of files) {
    io.out(`Checking ${path}\n`)
    const verdict = report(() => checkSource(readText(path), path, lint, io), lint, io)
    failed ||= verdict.failed
    errors ||= verdict.errors
    if (!verdict.errors) io.out('\n')
  }
  return { failed, errors }
}

async function checkStdin(lint: RuleLint, io: Io): Promise<Verdict> {
  io.out('Checking standard input\n')
  const source = await io.stdin()
  const verdict = report(() => checkSource(source, '', lint, io), lint, io)
  if (!verdict.errors) io.out('\n')
  return verdict
}

function checkSource(
  source: string,
  path: string,
  { parser, ignoreUnknownFields }: RuleLint,
  io: Io,
): RuleFileCheck {
  if (/^---\s/m.test(source.replace(/^(\s|#.*\n)*---/, '')))
    createLogger({ write: (line) => io.err(line), now: () => io.now() }).warn(
      'Multiple document yaml rules files are not supported, only the first document is processed',
    )
  return checkRuleFile(source, path, { ...parser, ignoreUnknownFields })
}

function report(check: () => RuleFileCheck, lint: RuleLint, io: Io): Verdict {
  const { groups, faults } = attempt(check)
  if (faults.length > 0) {
    io.err(`  FAILED:\n${faults.map(({ message }) => `${message}\n`).join('')}`)
    return { failed: true, errors: true }
  }
  const duplicates = lint.duplicates ? duplicateRules(groups) : []
  if (duplicates.length > 0) {
    const lines = duplicates.map(({ name, labels }) => `Metric: ${name}\nLabel(s):\n${labelLines(labels)}`)
    io.err(
      `  FAILED:\nlint error ${duplicates.length} duplicate rule(s) found.\n${lines.join('')}` +
        'Might cause inconsistency while recording expressions\n',
    )
    return { failed: true, errors: false }
  }
  io.out(`  SUCCESS: ${groups.reduce((sum, { rules }) => sum + rules.length, 0)} rules found\n`)
  return { failed: false, errors: false }
}

function attempt(check: () => RuleFileCheck): RuleFileCheck {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { groups: [], faults: [error] }
  }
}

interface NamedRule {
  readonly name: string
  readonly labels: Labels
}

/** Rules with the same name and labels, each once, sorted. */
function duplicateRules(groups: RuleFileCheck['groups']): NamedRule[] {
  const counts = new Map<string, { rule: NamedRule; count: number }>()
  for (const { name, labels: own } of groups.flatMap(({ rules }) => rules)) {
    const labels = Labels.from(own)
    const key = JSON.stringify([name, labels.pairs])
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { rule: { name, labels }, count: 1 })
  }
  return [...counts.values()]
    .filter(({ count }) => count > 1)
    .map(({ rule }) => rule)
    .sort((a, b) => (a.name === b.name ? a.labels.compare(b.labels) : a.name < b.name ? -1 : 1))
}

function labelLines(labels: Labels): string {
  return labels
    .names()
    .map((name) => `\t${name}: ${labels.get(name)}\n`)
    .join('')
}
