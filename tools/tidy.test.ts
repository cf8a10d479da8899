// House rules as a test over the sources: who may import whom, declared dependencies, file sizes, names.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** The import table of docs/architecture.md: what each workspace may import of ours. Tests may use testkit as well. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'packages/datamodel': [],
  'packages/kernels': [],
  'packages/instrument': [],
  'packages/template': ['datamodel'],
  'packages/testkit': ['datamodel'],
  'packages/tsdb': ['datamodel', 'kernels'],
  'packages/promql': ['datamodel', 'kernels'],
  'apps/server': ['datamodel', 'kernels', 'instrument', 'template', 'tsdb', 'promql'],
  'apps/alertmanager': ['datamodel', 'instrument', 'template'],
  'apps/dashboards': ['datamodel', 'instrument'],
  'apps/inference': ['instrument'],
  'apps/ui': ['datamodel', 'promql'],
  // The composition root: the only one that sees apps.
  'apps/watchfire': [
    'datamodel',
    'instrument',
    'promql',
    'tsdb',
    'server',
    'alertmanager',
    'dashboards',
    'inference',
  ],
}
/** Within a workspace: folder → folders of the same workspace it must not import. */
const MUST_NOT_IMPORT: readonly (readonly [from: string, to: readonly string[]])[] = [
  [
    'packages/promql/src/parser',
    ['../exec', '../functions', '../plan', '../result', '../script', '../engine'],
  ],
  ['apps/server/src/relabel', ['../scrape', '../web', '../rules', '../ingest', '../query', '../notifier']],
  ['apps/server/src/exposition', ['../scrape', '../web', '../rules', '../ingest', '../query', '../notifier']],
  ['apps/server/src/rules', ['../notifier', '../scrape', '../exposition']],
  ['apps/server/src/scrape', ['../web', '../rules', '../notifier', '../query']],
]
const LINES_MAX = 700
const TEST_LINES_MAX = 1000
const FOLDER_FILES_MAX = 30

interface Source {
  path: string
  text: string
  workspace: string
}

function collect(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', 'testdata', 'wasm', 'assembly', '.cache'].includes(entry.name)) return []
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return collect(path)
    return /\.(ts|tsx)$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : []
  })
}

const sources: Source[] = Object.keys(MAY_IMPORT).flatMap((workspace) =>
  collect(`${workspace}/src`).map((path) => ({
    path,
    workspace,
    text: readFileSync(join(root, path), 'utf8'),
  })),
)

function imports(text: string): string[] {
  const found: string[] = []
  for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*'([^']+)'/g))
    found.push(match[1]!)
  for (const match of text.matchAll(/(?:^|[^.\w])import\(\s*'([^']+)'\s*\)/g)) found.push(match[1]!)
  for (const match of text.matchAll(/(?:^|\n)\s*import\s+'([^']+)'/g)) found.push(match[1]!)
  return found
}

const isTest = (path: string): boolean => /\.(test|fuzz|bench|sim)\.tsx?$/.test(path)

describe('house rules', () => {
  it('finds the sources it is about', () => {
    expect(sources.length).toBeGreaterThan(50)
  })

  it('keeps the import table of the architecture', () => {
    const faults: string[] = []
    for (const { path, workspace, text } of sources)
      for (const name of imports(text)) {
        const own = /^@watchfire\/([\w-]+)/.exec(name)?.[1]
        if (own === undefined) continue
        const allowed = MAY_IMPORT[workspace]!.includes(own) || (own === 'testkit' && isTest(path))
        if (!allowed) faults.push(`${path} must not import ${name}`)
        if (workspace === 'apps/ui' && own === 'promql' && name !== '@watchfire/promql/parser')
          faults.push(`${path}: only the parser of promql runs in a browser`)
      }
    expect(faults).toEqual([])
  })

  it('reaches other workspaces only through their public names', () => {
    const faults: string[] = []
    for (const { path, workspace, text } of sources)
      for (const name of imports(text)) {
        if (!name.startsWith('.')) continue
        const target = relative(root, resolve(root, dirname(path), name))
        if (!target.startsWith(`${workspace}/`)) faults.push(`${path} reaches into ${target}`)
      }
    expect(faults).toEqual([])
  })

  it('keeps folders of a workspace apart where the architecture says so', () => {
    const faults: string[] = []
    for (const [folder, banned] of MUST_NOT_IMPORT)
      for (const { path, text } of sources)
        if (path.startsWith(`${folder}/`) && !isTest(path))
          for (const name of imports(text)) {
            if (!name.startsWith('.')) continue
            const target = resolve(root, dirname(path), name)
            for (const other of banned)
              if (target.startsWith(resolve(root, folder, other)))
                faults.push(`${path} must not import ${name}`)
          }
    expect(faults).toEqual([])
  })

  it('declares every package it imports', () => {
    const faults: string[] = []
    const builtin = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)])
    const rootPackage = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>
    for (const { path, workspace, text } of sources) {
      const own = JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8')) as Record<
        string,
        object
      >
      const declared = {
        ...own['dependencies'],
        ...own['devDependencies'],
        ...own['peerDependencies'],
        ...own['optionalDependencies'],
        ...(isTest(path) ? rootPackage['devDependencies'] : {}),
      }
      for (const name of imports(text)) {
        if (name.startsWith('.') || builtin.has(name) || name.startsWith('node:')) continue
        const packageName = name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/')
        const self = own['name'] as unknown as string
        if (
          packageName !== self &&
          !(packageName in declared) &&
          !(isTest(path) && packageName === '@watchfire/testkit')
        )
          faults.push(`${path} imports ${packageName}, which ${workspace}/package.json does not declare`)
      }
    }
    expect([...new Set(faults)]).toEqual([])
  })

  it('keeps files and folders small', () => {
    const faults: string[] = []
    const folders = new Map<string, number>()
    for (const { path, text } of sources) {
      const lines = text.split('\n').length
      if (lines > (isTest(path) ? TEST_LINES_MAX : LINES_MAX)) faults.push(`${path} has ${lines} lines`)
      if (!isTest(path)) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1)
    }
    for (const [folder, count] of folders)
      if (count > FOLDER_FILES_MAX) faults.push(`${folder} has ${count} files`)
    expect(faults).toEqual([])
  })

  it('names things by what they are', () => {
    const faults = sources
      .map(({ path }) => path)
      .filter((path) => /\/(utils?|helpers?|common|misc)(\/|\.tsx?$)/.test(path))
    expect(faults).toEqual([])
  })

  it('exports by name and explicitly', () => {
    const faults: string[] = []
    for (const { path, text } of sources) {
      if (/\nexport default /.test(text) && !path.startsWith('apps/ui/'))
        faults.push(`${path} has a default export`)
      if (/\nexport \* from /.test(text)) faults.push(`${path} re-exports everything`)
    }
    expect(faults).toEqual([])
  })

  it('says at the head of each file what it is for', () => {
    const faults = sources
      .filter(
        ({ path }) => !isTest(path) && !/\/index\.ts$/.test(path) && statSync(join(root, path)).size > 600,
      )
      .filter(({ text }) => !/^(#!.*\n)?\s*(\/\/|\/\*)/.test(text))
      .map(({ path }) => path)
    expect(faults).toEqual([])
  })
})
