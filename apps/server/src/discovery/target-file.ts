// One file of targets (file_sd): JSON or YAML, a list of `{targets, labels}`.
import { readFile, stat } from 'node:fs/promises'
import { YamlDocument, isNull, isSeq, type YamlNode } from '../config/yaml-document.ts'
import { field, list, struct, text } from '../config/schema.ts'
import { checkedLabels } from '../config/sections/discovery.ts'
import type { TargetGroup } from './contract.ts'

/** Largest file, in bytes. */
const FILE_BYTES_MAX = 256 * 1024 * 1024
/** Label that tells the file a target came from. */
const FILE_LABEL = '__meta_filepath'

const groupSchema = struct('struct { Targets []string; Labels model.LabelSet }', {
  targets: field(list(text()), { always: true }),
  labels: field(checkedLabels),
})

/** Reads the groups of a file. Throws an Error that names the file and the place. */
export async function readTargetFile(path: string): Promise<TargetGroup[]> {
  const { size } = await stat(path)
  if (size > FILE_BYTES_MAX) throw new Error(`${path}: larger than ${FILE_BYTES_MAX} bytes`)
  return parseTargetFile(await readFile(path, 'utf8'), path)
}

/** As `readTargetFile`, for a text; the kind follows from the end of the name. */
export function parseTargetFile(content: string, path: string): TargetGroup[] {
  const groups = /\.json$/i.test(path) ? parseTargetJson(content, path) : parseYaml(content, path)
  return groups.map(({ targets, labels }, i) => ({
    source: `${path}:${i}`,
    labels: { ...labels, [FILE_LABEL]: path },
    targets: targets.map((target) => ({ __address__: target })),
  }))
}

export interface RawGroup {
  readonly targets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

function parseYaml(content: string, path: string): RawGroup[] {
  try {
    const document = new YamlDocument(content)
    const root = document.resolve(document.root)
    if (isNull(root)) return []
    if (!isSeq(root)) {
      document.mismatch(root, '[]*targetgroup.Group')
    } else {
      const groups = root.items.map((item, i) => {
        const node = document.resolve(item as YamlNode)
        if (isNull(node)) throw new Error(`nil target group item found (index ${i})`)
        return document.within(`[${i}]`, () => groupSchema.decode(node, document))
      })
      if (document.problems.length === 0) return groups
    }
    const lines = document.problems.map(
      ({ line, column, text: what }) => `line ${line}: ${what} (line ${line}, column ${column})`,
    )
    throw new Error(`yaml: unmarshal errors: ${lines.join('; ')}`)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** A list of groups as JSON. Throws an Error that names `path` and the place. */
export function parseTargetJson(content: string, path: string): RawGroup[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
  const fail = (message: string): never => {
    throw new Error(`${path}: ${message}`)
  }
  if (!Array.isArray(parsed)) return fail('expected a list of target groups')
  return parsed.map((item: unknown, i) => {
    if (item === null) fail(`nil target group item found (index ${i})`)
    if (typeof item !== 'object' || Array.isArray(item)) fail(`group ${i}: expected an object`)
    const group = item as Record<string, unknown>
    for (const name of Object.keys(group))
      if (name !== 'targets' && name !== 'labels') fail(`group ${i}: unknown field "${name}"`)
    const targets = group.targets ?? []
    const labels = group.labels ?? {}
    if (!Array.isArray(targets) || targets.some((target) => typeof target !== 'string'))
      fail(`group ${i}: targets must be a list of strings`)
    if (typeof labels !== 'object' || Array.isArray(labels))
      fail(`group ${i}: labels must be an object of strings`)
    for (const [name, value] of Object.entries(labels)) {
      if (name === '') fail(`group ${i}: "" is not a valid label name`)
      if (typeof value !== 'string') fail(`group ${i}: label ${name} must be a string`)
    }
    return { targets: targets as string[], labels: labels as Record<string, string> }
  })
}
