// Dashboards from Grafana's provisioning files (dashboards/*.yml) and the JSON model files in the folders they name.
import { readFile, readdir, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { ProvisioningError, readYamlFolder } from './yaml-file.ts'

/** A folder of dashboard files. */
export interface DashboardProvider {
  readonly name: string
  readonly folder: string
  readonly path: string
  readonly updateIntervalMs: number
}

/** A dashboard as loaded: `model` is Grafana's JSON model, untouched but for a uid where it has none. */
export interface Dashboard {
  readonly id: number
  readonly uid: string
  readonly title: string
  readonly slug: string
  readonly tags: readonly string[]
  readonly folder: string
  readonly file: string
  readonly updated: string
  readonly model: Readonly<Record<string, unknown>>
}

/** Largest dashboard file, bytes, and most dashboards of one provider. */
export const DASHBOARD_BYTES_MAX = 8 * 1024 * 1024
export const DASHBOARDS_MAX = 2000

export async function loadProviders(
  provisioningDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DashboardProvider[]> {
  const providers: DashboardProvider[] = []
  for (const { path, content } of await readYamlFolder(join(provisioningDir, 'dashboards'), env)) {
    const list = content['providers'] ?? []
    if (!Array.isArray(list)) throw new ProvisioningError(`${path}: providers is not a list`)
    for (const entry of list as Record<string, unknown>[]) {
      const options = (entry['options'] ?? {}) as Record<string, unknown>
      const folder = typeof options['path'] === 'string' ? options['path'] : ''
      if (folder === '')
        throw new ProvisioningError(`${path}: provider "${String(entry['name'])}" has no options.path`)
      providers.push({
        name: String(entry['name'] ?? 'default'),
        folder: String(entry['folder'] ?? ''),
        path: isAbsolute(folder) ? folder : resolve(provisioningDir, folder),
        updateIntervalMs: Math.max(1, Number(entry['updateIntervalSeconds'] ?? 10)) * 1000,
      })
    }
  }
  return providers
}

/** Loads one provider's files; a file that cannot be read is left out and named in `faults`. */
export async function loadDashboards(
  provider: DashboardProvider,
): Promise<{ dashboards: Dashboard[]; faults: string[] }> {
  const dashboards: Dashboard[] = []
  const faults: string[] = []
  const names = (await readdir(provider.path, { recursive: true }).catch(() => [])).filter((name) =>
    name.endsWith('.json'),
  )
  for (const name of names.sort().slice(0, DASHBOARDS_MAX)) {
    const file = join(provider.path, name)
    try {
      dashboards.push(await loadDashboard(file, provider.folder))
    } catch (error) {
      faults.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { dashboards, faults }
}

async function loadDashboard(file: string, folder: string): Promise<Dashboard> {
  const info = await stat(file)
  if (info.size > DASHBOARD_BYTES_MAX) throw new ProvisioningError('file is too large')
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ProvisioningError('not a dashboard: expected a JSON object')
  const model = parsed as Record<string, unknown>
  if (typeof model['title'] !== 'string' || model['title'] === '')
    throw new ProvisioningError('dashboard has no title')
  const slug = slugOf(model['title'])
  const uid = typeof model['uid'] === 'string' && model['uid'] !== '' ? model['uid'] : slug.slice(0, 40)
  return {
    id: 0,
    uid,
    title: model['title'],
    slug,
    tags: Array.isArray(model['tags']) ? model['tags'].map(String) : [],
    folder,
    file,
    updated: info.mtime.toISOString(),
    model: { ...model, uid },
  }
}

/** Title as it stands in addresses. */
function slugOf(title: string): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'dashboard' : slug
}
