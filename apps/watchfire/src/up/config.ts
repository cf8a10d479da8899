// The shipped prometheus.yml names the default ports. `up` writes a copy into the data folder with the ports in use and
// absolute rule paths; comments stay.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isScalar, parseDocument, visit } from 'yaml'

export interface ShippedConfig {
  readonly source: string
  readonly target: string
  /** Addresses of the shipped file and what they become. */
  readonly addresses: Readonly<Record<string, string>>
}

/** Writes the copy and returns its path. */
export function writeServerConfig({ source, target, addresses }: ShippedConfig): string {
  const document = parseDocument(readFileSync(source, 'utf8'))
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && addresses[node.value] !== undefined)
        node.value = addresses[node.value]
    },
  })
  const rules: unknown = document.get('rule_files')
  if (rules && typeof rules === 'object' && 'items' in rules)
    for (const item of rules.items as unknown[])
      if (isScalar(item)) item.value = resolve(dirname(source), String(item.value))
  const heading = ` Written at each start from ${source}.\n Changes here are lost: start with --config.file to use a file of your own.`
  document.commentBefore = document.commentBefore ? `${heading}\n\n${document.commentBefore}` : heading
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, document.toString({ lineWidth: 0 }))
  return target
}
