// Data sources from Grafana's provisioning files (datasources/*.yml).
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ProvisioningError, readYamlFolder } from './yaml-file.ts'

/** A data source. Credentials stay in here; the API never shows them. */
export interface DataSource {
  readonly id: number
  readonly uid: string
  readonly name: string
  readonly type: string
  readonly url: string
  readonly isDefault: boolean
  readonly editable: boolean
  readonly jsonData: Readonly<Record<string, unknown>>
  readonly basicAuthUser: string
  readonly basicAuthPassword: string
}

/** Reads all data sources; `prometheus` ones are queried, others are listed only. */
export async function loadDataSources(
  provisioningDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DataSource[]> {
  const sources: DataSource[] = []
  for (const { path, content } of await readYamlFolder(join(provisioningDir, 'datasources'), env)) {
    const list = content['datasources'] ?? []
    if (!Array.isArray(list)) throw new ProvisioningError(`${path}: datasources is not a list`)
    for (const entry of list as Record<string, unknown>[]) {
      const name = text(entry['name'])
      const url = text(entry['url'])
      if (name === '') throw new ProvisioningError(`${path}: a data source has no name`)
      if (!/^https?:\/\//.test(url))
        throw new ProvisioningError(`${path}: data source "${name}": url "${url}" is not an http(s) address`)
      if (sources.some((source) => source.name === name))
        throw new ProvisioningError(`${path}: data source "${name}" is defined twice`)
      const secure = (entry['secureJsonData'] ?? {}) as Record<string, unknown>
      sources.push({
        id: sources.length + 1,
        uid: text(entry['uid']) || generatedUid(name),
        name,
        type: text(entry['type']) || 'prometheus',
        url: url.replace(/\/+$/, ''),
        isDefault: entry['isDefault'] === true,
        editable: entry['editable'] === true,
        jsonData: (entry['jsonData'] ?? {}) as Record<string, unknown>,
        basicAuthUser: entry['basicAuth'] === true ? text(entry['basicAuthUser']) : '',
        basicAuthPassword: text(secure['basicAuthPassword']),
      })
    }
  }
  return sources
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

/** Grafana derives the uid of a provisioned data source from its name, so that it stays the same. */
function generatedUid(name: string): string {
  return 'P' + createHash('sha256').update(name).digest('hex').slice(0, 16).toUpperCase()
}
