// Grafana's search and dashboard endpoints, read-only: dashboards come from files.
import type { FastifyInstance } from 'fastify'
import type { Store } from '../store.ts'
import type { Dashboard } from '../provisioning/dashboards.ts'

const SEARCH_LIMIT_DEFAULT = 1000
const SEARCH_LIMIT_MAX = 5000

export function dashboardRoutes(app: FastifyInstance, store: Store): void {
  app.get('/api/search', (request) => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '')
    const limit = clamp(Number(query.get('limit') ?? SEARCH_LIMIT_DEFAULT), 1, SEARCH_LIMIT_MAX)
    const page = clamp(Number(query.get('page') ?? 1), 1, Number.MAX_SAFE_INTEGER)
    const words = (query.get('query') ?? '').toLowerCase()
    const tags = query.getAll('tag')
    const uids = query.getAll('dashboardUIDs')
    if (query.get('type') === 'dash-folder') return []
    return store
      .dashboards()
      .filter((board) => board.title.toLowerCase().includes(words))
      .filter((board) => tags.every((tag) => board.tags.includes(tag)))
      .filter((board) => uids.length === 0 || uids.includes(board.uid))
      .toSorted((a, b) => a.title.localeCompare(b.title))
      .slice((page - 1) * limit, page * limit)
      .map(searchHit)
  })

  app.get<{ Params: { uid: string } }>('/api/dashboards/uid/:uid', (request, reply) => {
    const board = store.dashboard(request.params.uid)
    if (!board) return reply.code(404).send({ message: 'Dashboard not found' })
    return {
      meta: {
        type: 'db',
        canSave: false,
        canEdit: false,
        canAdmin: false,
        canStar: false,
        canDelete: false,
        slug: board.slug,
        url: addressOf(board),
        expires: '0001-01-01T00:00:00Z',
        created: board.updated,
        updated: board.updated,
        version: 1,
        folderTitle: board.folder || 'General',
        provisioned: true,
        provisionedExternalId: board.file.split('/').at(-1),
      },
      dashboard: { ...board.model, id: board.id },
    }
  })

  app.get('/api/dashboards/tags', () => {
    const counts = new Map<string, number>()
    for (const board of store.dashboards())
      for (const tag of board.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
    return [...counts].map(([term, count]) => ({ term, count }))
  })

  app.post('/api/admin/provisioning/dashboards/reload', async () => {
    await store.reload()
    return { message: 'Dashboards config reloaded' }
  })
  app.post('/api/admin/provisioning/datasources/reload', async () => {
    await store.reload()
    return { message: 'Datasources config reloaded' }
  })
}

function searchHit(board: Dashboard): object {
  return {
    id: board.id,
    uid: board.uid,
    title: board.title,
    uri: `db/${board.slug}`,
    url: addressOf(board),
    slug: '',
    type: 'dash-db',
    tags: board.tags,
    isStarred: false,
    ...(board.folder && { folderTitle: board.folder }),
    sortMeta: 0,
  }
}

function addressOf(board: Dashboard): string {
  return `/d/${encodeURIComponent(board.uid)}/${board.slug}`
}

function clamp(value: number, low: number, high: number): number {
  return Number.isFinite(value) ? Math.min(high, Math.max(low, Math.floor(value))) : low
}
