// Reads provisioning files: YAML with Grafana's `$NAME` and `${NAME}` environment variables.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'

/** A provisioning file that cannot be used; the message names file, line and column. */
export class ProvisioningError extends Error {
  override name = 'ProvisioningError'
}

/** Largest provisioning file that is read, bytes. */
export const PROVISIONING_FILE_BYTES_MAX = 4 * 1024 * 1024

/** The parsed YAML files (*.yml, *.yaml) of a folder in order of name; a missing folder has none. */
export async function readYamlFolder(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ path: string; content: Record<string, unknown> }[]> {
  const names = await readdir(folder).catch(() => [])
  const files: { path: string; content: Record<string, unknown> }[] = []
  for (const name of names.sort())
    if (/\.ya?ml$/.test(name))
      files.push({ path: join(folder, name), content: await readYamlFile(join(folder, name), env) })
  return files
}

async function readYamlFile(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8')
  if (text.length > PROVISIONING_FILE_BYTES_MAX) throw new ProvisioningError(`${path}: file is too large`)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const fault = document.errors[0]
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0])
    throw new ProvisioningError(`${path}:${line}:${col}: ${fault.message.split('\n')[0]}`)
  }
  const content: unknown = document.toJS({ maxAliasCount: 100 })
  if (content === null) return {}
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ProvisioningError(`${path}:1:1: expected a mapping at the top`)
  return expand(content, env) as Record<string, unknown>
}

/** Replaces `$NAME` and `${NAME}` in all strings; `$$` stands for `$`. */
function expand(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value === 'string')
    return value.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => {
      const name = braced ?? bare
      return name === undefined ? all.slice(1) : (env[name] ?? '')
    })
  if (Array.isArray(value)) return value.map((item) => expand(item, env))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, env)]))
  return value
}
