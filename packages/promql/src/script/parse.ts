// Reads test scripts: blocks of `clear`, `load` and `eval`, ended by an empty line (or a comment).
import type { Labels } from '@watchfire/datamodel'
import { RegexError, compileRe2, parseDuration } from '@watchfire/datamodel'
import { ALL_EXPERIMENTS, ParseError, parseExpr, parseSeriesDescription } from '../parser/index.ts'
import type { SeriesDescription, SeriesValue } from '../parser/index.ts'
import { ScriptError } from './commands.ts'
import type {
  Command,
  EvalCommand,
  ExpectedSeries,
  LoadCommand,
  LoadedSeries,
  TextCheck,
} from './commands.ts'
import { parseStarts } from './starts.ts'

const LOAD = /^load(?:_(with_nhcb))?\s+(.+?)$/
const EVAL_INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/
const EVAL_RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/
const EXPECT_RANGE = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/
const NUMBER = /^[+-]?(?:[0-9.][0-9a-zA-Z_.+-]*|inf|infinity|nan)$/i

/** The commands of a script. Throws `ScriptError`. */
export function parseScript(text: string): readonly Command[] {
  return new ScriptReader(text).read()
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

interface EvalDraft {
  command: Mutable<Omit<EvalCommand, 'expected'>>
  expected: Mutable<EvalCommand['expected']> & {
    failures: TextCheck[]
    warnings: TextCheck[]
    infos: TextCheck[]
    series: Map<string, ExpectedSeries>
  }
}

class ScriptReader {
  readonly #lines: readonly string[]
  /** Line being read, from 0. */
  #at = 0

  constructor(text: string) {
    this.#lines = text.split('\n').map((line) => {
      const trimmed = line.trim()
      return trimmed.startsWith('#') ? '' : trimmed
    })
  }

  read(): Command[] {
    const commands: Command[] = []
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!
      if (line === '') continue
      const word = line.split(/[\t ]+/, 1)[0]!.toLowerCase()
      if (word === 'clear') commands.push({ kind: 'clear', line: this.#at + 1 })
      else if (word.startsWith('load')) commands.push(this.readLoad(line))
      else if (word.startsWith('eval')) commands.push(this.readEval(line))
      else this.fail(`invalid command "${line}"`)
    }
    return commands
  }

  private fail(message: string): never {
    throw new ScriptError(this.#at + 1, message)
  }

  /** Steps to the next line of a block; undefined at its end. */
  private nextLine(): string | undefined {
    const line = this.#lines[this.#at + 1]
    if (line === undefined || line === '') return undefined
    this.#at++
    return line
  }

  private duration(text: string, what: string): number {
    try {
      return parseDuration(text)
    } catch (error) {
      return this.fail(`invalid ${what} definition "${text}": ${(error as Error).message}`)
    }
  }

  private series(line: string): SeriesDescription {
    try {
      return parseSeriesDescription(line, ALL_EXPERIMENTS)
    } catch (error) {
      if (error instanceof ParseError) return this.fail(error.message)
      throw error
    }
  }

  private readLoad(line: string): LoadCommand {
    const parts = LOAD.exec(line)
    if (!parts) this.fail('invalid load command. (load[_with_nhcb] <step:duration>)')
    const start = this.#at + 1
    const stepMs = this.duration(parts[2]!, 'step')
    const series: LoadedSeries[] = []
    for (let defined = this.nextLine(); defined !== undefined; defined = this.nextLine()) {
      const head = /^(\S*)@st[ \t]+(.*)$/.exec(defined)
      if (!head) {
        series.push({ ...this.series(defined), starts: undefined })
        continue
      }
      const { labels } = this.series(`${head[1]!} _`)
      series.push(this.readStarted(labels, head[2]!))
    }
    return { kind: 'load', line: start, stepMs, withNhcb: parts[1] !== undefined, series }
  }

  /** The line after one with start timestamps, which must describe the same series. */
  private readStarted(labels: Labels, text: string): LoadedSeries {
    let starts: (number | undefined)[]
    try {
      starts = parseStarts(text)
    } catch (error) {
      return this.fail(`invalid @st sequence: ${(error as Error).message}`)
    }
    const line = this.nextLine()
    if (line === undefined) this.fail('@st line has no following sample line')
    const described = this.series(line)
    if (!described.labels.equals(labels))
      this.fail('@st metric does not match the following sample line metric')
    if (described.values.length !== starts.length)
      this.fail(`@st line has ${starts.length} values but sample line has ${described.values.length}`)
    return { ...described, starts }
  }

  private readEval(line: string): EvalCommand {
    const instant = EVAL_INSTANT.exec(line)
    const range = EVAL_RANGE.exec(line)
    if (!instant && !range)
      this.fail(
        "invalid evaluation command. Must be either 'eval[_fail|_warn|_ordered] instant [at <offset:duration>] <query>' or 'eval[_fail|_warn] range from <from> to <to> step <step> <query>'",
      )
    const expr = instant ? instant[3]! : range![5]!
    this.checkExpr(expr)
    const times = instant
      ? this.instantTimes(instant[2] ?? '')
      : this.rangeTimes(range![2]!, range![3]!, range![4]!)
    const draft: EvalDraft = {
      command: { kind: 'eval', line: this.#at + 1, expr, instant: instant !== null, ...times },
      expected: newExpectation((instant ?? range)![1]),
    }
    this.readEvalBody(draft)
    return { ...draft.command, expected: draft.expected }
  }

  private checkExpr(expr: string): void {
    try {
      parseExpr(expr, ALL_EXPERIMENTS)
    } catch (error) {
      if (error instanceof ParseError) this.fail(error.message)
      throw error
    }
  }

  private instantTimes(at: string): Pick<EvalCommand, 'startMs' | 'endMs' | 'stepMs' | 'atMs'> {
    const atMs = this.duration(at, 'timestamp')
    return { startMs: atMs, endMs: atMs, stepMs: 0, atMs }
  }

  private rangeTimes(
    from: string,
    to: string,
    step: string,
  ): Pick<EvalCommand, 'startMs' | 'endMs' | 'stepMs' | 'atMs'> {
    const startMs = this.duration(from, 'start timestamp')
    const endMs = this.duration(to, 'end timestamp')
    if (endMs < startMs)
      this.fail(`invalid test definition, end timestamp (${to}) is before start timestamp (${from})`)
    return { startMs, endMs, stepMs: this.duration(step, 'step'), atMs: endMs }
  }

  private readEvalBody(draft: EvalDraft): void {
    const { command, expected } = draft
    let position = 1
    for (let line = this.nextLine(); line !== undefined; line = this.nextLine(), position++) {
      const oldFailure = expected.fail ? /^expected_fail_(message|regexp)(.*)$/.exec(line) : null
      if (oldFailure) {
        const text = oldFailure[2]!.trim()
        expected.failures.push(oldFailure[1] === 'regexp' ? this.pattern(text) : exactly(text))
        return
      }
      if (line.startsWith('expect range vector')) {
        const parts = EXPECT_RANGE.exec(line)
        if (!parts) this.fail(`invalid range vector definition "${line}"`)
        Object.assign(command, this.rangeTimes(parts[1]!, parts[2]!, parts[3]!))
        expected.rangeVector = true
      } else if (line.startsWith('expect string')) expected.string = this.readString(line)
      else if (line.split(' ', 1)[0] === 'expect') {
        this.readExpect(line, expected)
        position--
      } else if (NUMBER.test(line)) {
        expected.scalar = this.readNumber(line)
        return
      } else this.readExpectedSeries(line, draft, position)
    }
  }

  private readString(line: string): string {
    const literal = line.slice('expect string'.length).trim()
    if (literal === '') this.fail('expected string literal not valid - a quoted string literal is required')
    try {
      const expr = parseExpr(literal)
      if (expr.type === 'stringLiteral' && !literal.startsWith("'")) return expr.value
    } catch (error) {
      if (!(error instanceof ParseError)) throw error
    }
    return this.fail('expected string literal not valid - check that the string is correctly quoted')
  }

  /** A number as the series notation writes it, with a sign. */
  private readNumber(line: string): number {
    const { values } = this.series(`{} ${line.replace(/infinity/i, 'Inf')}`)
    const value: SeriesValue | undefined = values[0]
    return value?.kind === 'float' ? value.value : this.fail(`invalid number "${line}"`)
  }

  private readExpect(line: string, expected: EvalDraft['expected']): void {
    const parts = EXPECT.exec(line)
    if (!parts)
      this.fail('invalid expect statement, must match `expect <type> <match_type>: <string>` format')
    const text = parts[3]?.trim()
    const check = text === undefined ? ANYTHING : parts[2] === 'regex' ? this.pattern(text) : exactly(text)
    switch (parts[1]) {
      case 'ordered':
        expected.ordered = true
        break
      case 'fail':
        if (expected.failures.length > 0)
          this.fail('invalid expect lines, multiple expect fail lines are not allowed')
        expected.fail = true
        expected.failures.push(check)
        break
      case 'warn':
        expected.warnings.push(check)
        break
      case 'info':
        expected.infos.push(check)
        break
      case 'no_warn':
        expected.noWarnings = true
        break
      case 'no_info':
        expected.noInfos = true
    }
    if (expected.infos.length > 0 && expected.noInfos)
      this.fail('invalid expect lines, info and no_info cannot be used together')
    if (expected.warnings.length > 0 && expected.noWarnings)
      this.fail('invalid expect lines, warn and no_warn cannot be used together')
  }

  private pattern(source: string): TextCheck {
    try {
      const re = compileRe2(source)
      return { shown: source, matches: (text) => re.matcher(text).find() }
    } catch (error) {
      if (error instanceof RegexError) return this.fail(`invalid regex ${source}: ${error.message}`)
      throw error
    }
  }

  private readExpectedSeries(line: string, draft: EvalDraft, position: number): void {
    const { labels, values } = this.series(line)
    if (draft.command.instant && !draft.expected.rangeVector && values.length > 1)
      this.fail(
        "expecting multiple values in instant evaluation not allowed. consider using 'expect range vector' directive to enable a range vector result for an instant query",
      )
    draft.expected.series.set(labels.key(), { labels, position, values })
  }
}

const ANYTHING: TextCheck = { shown: '', matches: () => true }

function exactly(wanted: string): TextCheck {
  return { shown: wanted, matches: (text) => text === wanted }
}

function newExpectation(mode: string | undefined): EvalDraft['expected'] {
  return {
    fail: mode === 'fail',
    failures: [],
    ordered: mode === 'ordered',
    warnings: [],
    infos: [],
    anyWarning: mode === 'warn',
    anyInfo: mode === 'info',
    noWarnings: false,
    noInfos: false,
    scalar: undefined,
    string: undefined,
    rangeVector: false,
    series: new Map(),
  }
}
