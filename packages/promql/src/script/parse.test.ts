import { describe, expect, it } from 'vitest'
import { ScriptError, parseScript, type Command } from './index.ts'
import { parseStarts } from './starts.ts'

function only<K extends Command['kind']>(text: string, kind: K): Extract<Command, { kind: K }> {
  const commands = parseScript(text)
  expect(commands.map((command) => command.kind)).toEqual([kind])
  return commands[0] as Extract<Command, { kind: K }>
}

describe('scripts', () => {
  it('are blocks that an empty line or a comment ends', () => {
    const commands = parseScript(
      'clear\nload 1m\n  up 1 2\n# next\nload 5s\n\tup 3\n\neval instant at 1m up\n  up 2\n',
    )
    expect(commands.map(({ kind, line }) => `${kind} ${line}`)).toEqual([
      'clear 1',
      'load 2',
      'load 5',
      'eval 8',
    ])
  })

  it('load series with start timestamps', () => {
    const command = only('load_with_nhcb 30s\n  up{a="b"}@st _ -30sx1\n  up{a="b"} 1 2 3\n  down 4\n', 'load')
    expect(command).toMatchObject({ stepMs: 30_000, withNhcb: true })
    expect(command.series.map(({ starts }) => starts)).toEqual([[undefined, -30_000, -30_000], undefined])
  })

  it('evaluate at an instant or over a range', () => {
    expect(only('eval instant at 1h30m sum(up)\n  {} 3', 'eval')).toMatchObject({
      expr: 'sum(up)',
      instant: true,
      atMs: 5_400_000,
    })
    expect(only('eval range from 0 to 1m step 10s up', 'eval')).toMatchObject({
      instant: false,
      startMs: 0,
      endMs: 60_000,
      stepMs: 10_000,
    })
  })

  it('state expectations', () => {
    const { expected } = only(
      'eval instant at 0 up\n expect ordered\n expect warn\n expect info regex: a+b\n up{a="1"} 1\n up{a="2"} 2',
      'eval',
    )
    expect(expected.ordered).toBe(true)
    expect(expected.warnings[0]!.matches('whatever')).toBe(true)
    expect(expected.infos[0]!.matches('xaab')).toBe(true)
    expect(expected.infos[0]!.matches('xb')).toBe(false)
    expect([...expected.series.values()].map(({ position }) => position)).toEqual([1, 2])
    expect(only('eval instant at 0 1\n -2.5', 'eval').expected.scalar).toBe(-2.5)
    expect(only('eval instant at 0 "a"\n expect string "a\\n"', 'eval').expected.string).toBe('a\n')
    expect(only('eval_fail instant at 0 up\n expected_fail_message no', 'eval').expected).toMatchObject({
      fail: true,
    })
  })

  it('move an instant query that expects a matrix to the end of its range', () => {
    expect(
      only('eval instant at 5m up[2m]\n expect range vector from 1m to 3m step 1m\n up 1 2 3', 'eval'),
    ).toMatchObject({ instant: true, startMs: 60_000, endMs: 180_000, stepMs: 60_000, atMs: 180_000 })
  })

  it.each([
    ['nonsense', 'line 1: invalid command "nonsense"'],
    ['\nload x\n up 1', 'line 2: invalid step definition "x"'],
    ['load 1m\n up 1 abc', 'line 2: 1:6: parse error'],
    ['load 1m\n up@st -1m -1m\n up 1', 'line 3: @st line has 2 values but sample line has 1'],
    ['load 1m\n up@st -1m', 'line 2: @st line has no following sample line'],
    ['eval instant at 1m sum(', 'line 1: 1:5: parse error: unclosed left parenthesis'],
    ['eval instant at zz up', 'line 1: invalid timestamp definition "zz"'],
    [
      'eval range from 10m to 9m step 1m up',
      'line 1: invalid test definition, end timestamp (9m) is before start timestamp (10m)',
    ],
    ['eval instant at 0 up\n up 1 2', 'line 2: expecting multiple values in instant evaluation not allowed'],
    [
      'eval instant at 0 up\n expect warn\n expect no_warn',
      'line 3: invalid expect lines, warn and no_warn cannot be used together',
    ],
    [
      'eval instant at 0 up\n expect fail\n expect fail',
      'line 3: invalid expect lines, multiple expect fail',
    ],
    ['eval instant at 0 up\n expect info regex: (', 'line 2: invalid regex ('],
    ['eval instant at 0 "a"\n expect string a', 'line 2: expected string literal not valid'],
  ])('%j is refused', (text, message) => {
    expect(() => parseScript(text)).toThrow(ScriptError)
    expect(() => parseScript(text)).toThrow(message)
  })
})

describe('start timestamps', () => {
  it.each([
    ['_ _x2', [undefined, undefined, undefined]],
    ['-1m 0s +30s', [-60_000, 0, 30_000]],
    ['-1mx1', [-60_000, -60_000]],
    ['-1m+10sx2', [-60_000, -50_000, -40_000]],
    ['1m-500msx1', [60_000, 59_500]],
  ])('%s', (text, want) => {
    expect(parseStarts(text)).toEqual(want)
  })

  it.each(['x', '1m+1m', '_x0', '1', '1mx99999999'])('%s is refused', (text) => {
    expect(() => parseStarts(text)).toThrow()
  })
})
