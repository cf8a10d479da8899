// The state of query panels lives in the address, under the same names as in Prometheus, so links can be shared both ways.
import { formatDuration, parseDuration } from '@watchfire/datamodel'

export interface PanelState {
  readonly expr: string
  readonly tab: 'table' | 'graph'
  readonly stacked: boolean
  readonly minZero: boolean
  /** ms */
  readonly rangeMs: number
  /** End of the graph, ms; undefined = now. */
  readonly endMs: number | undefined
  /** Moment of the table, ms; undefined = now. */
  readonly momentMs: number | undefined
  /** Points across the graph, or a fixed step in seconds. */
  readonly resolution:
    | { readonly kind: 'auto'; readonly density: 'low' | 'medium' | 'high' }
    | { readonly kind: 'fixed'; readonly seconds: number }
}

export const NEW_PANEL: PanelState = {
  expr: '',
  tab: 'table',
  stacked: false,
  minZero: false,
  rangeMs: 3_600_000,
  endMs: undefined,
  momentMs: undefined,
  resolution: { kind: 'auto', density: 'medium' },
}

const PANELS_MAX = 50
export const DENSITY_POINTS = { low: 100, medium: 250, high: 750 } as const

/** Reads `g0.expr=…&g0.tab=graph…`; Prometheus's old numbers for tabs are understood too. */
export function readPanels(search: string): PanelState[] {
  const params = new URLSearchParams(search)
  const panels: PanelState[] = []
  for (let i = 0; i < PANELS_MAX && params.has(`g${i}.expr`); i++) {
    const get = (name: string): string | null => params.get(`g${i}.${name}`)
    const time = (name: string): number | undefined => {
      const text = get(name)
      const ms = text ? Date.parse(/Z|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`) : NaN
      return Number.isNaN(ms) ? undefined : ms
    }
    const step = Number(get('res_step') ?? get('step_input') ?? '')
    const density = get('res_density')
    panels.push({
      expr: get('expr') ?? '',
      tab: get('tab') === 'graph' || get('tab') === '0' ? 'graph' : 'table',
      stacked: get('display_mode') === 'stacked' || get('stacked') === '1',
      minZero: get('y_axis_min') === '0',
      rangeMs: duration(get('range_input')) ?? NEW_PANEL.rangeMs,
      endMs: time('end_input'),
      momentMs: time('moment_input'),
      resolution:
        step > 0 && get('res_type') !== 'auto'
          ? { kind: 'fixed', seconds: step }
          : { kind: 'auto', density: density === 'low' || density === 'high' ? density : 'medium' },
    })
  }
  return panels.length > 0 ? panels : [NEW_PANEL]
}

function duration(text: string | null): number | undefined {
  if (!text) return undefined
  try {
    return parseDuration(text) || undefined
  } catch {
    return undefined
  }
}

export function writePanels(panels: readonly PanelState[]): string {
  const params = new URLSearchParams()
  panels.forEach((panel, i) => {
    const set = (name: string, value: string): void => params.set(`g${i}.${name}`, value)
    set('expr', panel.expr)
    set('tab', panel.tab)
    set('display_mode', panel.stacked ? 'stacked' : 'lines')
    if (panel.minZero) set('y_axis_min', '0')
    set('range_input', formatDuration(panel.rangeMs))
    if (panel.endMs !== undefined) set('end_input', isoSeconds(panel.endMs))
    if (panel.momentMs !== undefined) set('moment_input', isoSeconds(panel.momentMs))
    if (panel.resolution.kind === 'fixed') {
      set('res_type', 'fixed')
      set('res_step', String(panel.resolution.seconds))
    } else {
      set('res_type', 'auto')
      set('res_density', panel.resolution.density)
    }
  })
  return `?${params}`
}

function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

/** Step of the graph in seconds, at least one. */
export function stepSeconds(panel: PanelState): number {
  if (panel.resolution.kind === 'fixed') return panel.resolution.seconds
  return Math.max(1, Math.floor(panel.rangeMs / 1000 / DENSITY_POINTS[panel.resolution.density]))
}
