// Runs the scripts of testdata/ against the engine: its behaviour is written there.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../index.ts'
import { runScript } from './index.ts'

const folder = new URL('testdata/', import.meta.url)

describe('the engine', () => {
  it.each(readdirSync(folder).sort())('does what %s says', (file) => {
    const { evals, error } = runScript(readFileSync(new URL(file, folder), 'utf8'), createEngine)
    const failures = evals.filter(({ failure }) => failure !== undefined)
    expect(failures.map(({ line, expr, failure }) => `line ${line}: ${expr}: ${failure}`)).toEqual([])
    expect(error).toBeUndefined()
    expect(evals.length).toBeGreaterThan(5)
  })
})
