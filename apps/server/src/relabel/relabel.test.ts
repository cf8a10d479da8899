// Relabelling rules through the folder's index.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Labels, RegexError } from '@watchfire/datamodel'
import type { RelabelConfig } from '../config/types.ts'
import { compileRelabel, expand, parseTemplate, relabel } from './index.ts'

const DEFAULTS: RelabelConfig = {
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
  action: 'replace',
}

/** Labels after one rule, undefined when dropped. */
function run(
  labels: Record<string, string>,
  rule: Partial<RelabelConfig>,
): Record<string, string> | undefined {
  return relabel(Labels.from(labels), compileRelabel([{ ...DEFAULTS, ...rule }]))?.toObject()
}

describe('relabelling', () => {
  it('replaces with groups', () => {
    const labels = { a: 'foo', b: 'bar' }
    expect(
      run(labels, {
        sourceLabels: ['a', 'b'],
        regex: 'f(.*);(?P<x>.*)r',
        targetLabel: 'd',
        replacement: '${1}-$x-$$',
      }),
    ).toEqual({
      ...labels,
      d: 'oo-ba-$',
    })
    expect(run(labels, { sourceLabels: ['a'], regex: 'o', targetLabel: 'd' })).toEqual(labels)
    expect(run(labels, { sourceLabels: ['c'], targetLabel: 'a' })).toEqual({ b: 'bar' })
    expect(run(labels, { sourceLabels: ['a'], targetLabel: '${1}_x', replacement: 'y' })).toEqual({
      ...labels,
      foo_x: 'y',
    })
    expect(run(labels, { targetLabel: 'd', replacement: 'fixed' })).toEqual({ ...labels, d: 'fixed' })
  })

  it('keeps and drops', () => {
    const labels = { a: 'foo\nbar', b: 'x', c: 'x' }
    expect(run(labels, { action: 'keep', sourceLabels: ['a'], regex: 'foo.*' })).toEqual(labels)
    expect(run(labels, { action: 'drop', sourceLabels: ['a'], regex: 'foo.*' })).toBeUndefined()
    expect(run(labels, { action: 'drop', sourceLabels: ['a'], regex: 'foo' })).toEqual(labels)
    expect(run(labels, { action: 'keepequal', sourceLabels: ['b'], targetLabel: 'c' })).toEqual(labels)
    expect(run(labels, { action: 'dropequal', sourceLabels: ['b'], targetLabel: 'c' })).toBeUndefined()
  })

  it('maps, drops and keeps label names', () => {
    const labels = { meta_x: '1', meta_y: '2', z: '3' }
    expect(run(labels, { action: 'labelmap', regex: 'meta_(.+)' })).toEqual({ ...labels, x: '1', y: '2' })
    expect(run(labels, { action: 'labeldrop', regex: 'meta_.*' })).toEqual({ z: '3' })
    expect(run(labels, { action: 'labelkeep', regex: 'z' })).toEqual({ z: '3' })
  })

  it('changes case character by character', () => {
    expect(
      run({ a: 'Straße ΑΣ' }, { action: 'uppercase', sourceLabels: ['a'], targetLabel: 'b' }),
    ).toMatchObject({ b: 'STRAßE ΑΣ' })
    expect(run({ a: 'ΑΣ İ' }, { action: 'lowercase', sourceLabels: ['a'], targetLabel: 'b' })).toMatchObject({
      b: 'ασ i',
    })
  })

  it('hashes as Prometheus does', () => {
    expect(
      run({ c: 'baz' }, { action: 'hashmod', sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 }),
    ).toMatchObject({ d: '976' })
  })

  it('makes only names that the scheme allows', () => {
    const rule = { ...DEFAULTS, sourceLabels: ['a'], targetLabel: '$1', replacement: 'x' }
    const labels = Labels.from({ a: 'not.legacy' })
    expect(relabel(labels, compileRelabel([rule], { validation: 'legacy' }))?.toObject()).toEqual({
      a: 'not.legacy',
    })
    expect(relabel(labels, compileRelabel([rule]))?.toObject()).toEqual({
      a: 'not.legacy',
      'not.legacy': 'x',
    })
  })

  it('refuses patterns that RE2 refuses', () => {
    for (const regex of ['(?=a)', '(a)\\1', '(', 'a**'])
      expect(() => compileRelabel([{ ...DEFAULTS, regex }])).toThrow(RegexError)
  })
})

describe('replacements', () => {
  it('expand as in Go', () => {
    const match = { group: (reference: number | string) => `<${reference}>` }
    const f = (text: string, want: string): void => expect(expand(parseTemplate(text), match)).toBe(want)
    f('$1 ${2} $name ${name}x', '<1> <2> <name> <name>x')
    f('$1x', '<1x>')
    f('$$1 $ ${ ${} $- 5$', '$1 $ ${ ${} $- 5$')
    f('${01}', '<01>')
  })

  it('without references are literal', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('$')),
        (text) => parseTemplate(text).literal === text,
      ),
    )
  })
})
