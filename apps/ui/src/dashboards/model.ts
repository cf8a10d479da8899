// The part of Grafana's classic dashboard model that is drawn. Fields come from files of strangers: everything is optional.

export interface Board {
  uid: string
  title: string
  description?: string
  panels?: PanelModel[]
  templating?: { list?: VariableModel[] }
  time?: { from?: string; to?: string }
  refresh?: string | boolean
}

export interface PanelModel {
  id?: number
  type: string
  title?: string
  description?: string
  gridPos?: { x: number; y: number; w: number; h: number }
  datasource?: { uid?: string; type?: string } | string | null
  targets?: TargetModel[]
  fieldConfig?: { defaults?: FieldDefaults; overrides?: FieldOverride[] }
  options?: Record<string, unknown>
  interval?: string
  panels?: PanelModel[]
  collapsed?: boolean
}

export interface TargetModel {
  refId?: string
  expr?: string
  legendFormat?: string
  instant?: boolean
  range?: boolean
  hide?: boolean
  format?: string
}

export interface FieldDefaults {
  unit?: string
  decimals?: number
  min?: number
  max?: number
  noValue?: string
  color?: { mode?: string; fixedColor?: string }
  thresholds?: { mode?: string; steps?: { color: string; value: number | null }[] }
  custom?: {
    drawStyle?: string
    lineWidth?: number
    fillOpacity?: number
    stacking?: { mode?: string }
    thresholdsStyle?: { mode?: string } | string
  }
}

export interface FieldOverride {
  matcher?: { id?: string; options?: unknown }
  properties?: { id: string; value?: unknown }[]
}

export interface VariableModel {
  name: string
  label?: string
  type: string
  query?: string | { query?: string }
  definition?: string
  multi?: boolean
  includeAll?: boolean
  allValue?: string | null
  hide?: number
  current?: { text?: unknown; value?: unknown }
}

export const COLORS: Record<string, string> = {
  green: '#2fb57c',
  red: '#e5484d',
  orange: '#ff8d28',
  yellow: '#d6a419',
  blue: '#4c8dff',
  purple: '#a56eff',
  transparent: 'transparent',
  text: '#8b949e',
}

/** A Grafana colour name or a plain colour; anything else has none. */
export function cssColor(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const plain = name.replace(/^(?:super-light|light|semi-dark|dark)-/, '')
  return COLORS[plain] ?? (/^#[0-9a-f]{3,8}$|^rgba?\([\d.,% ]+\)$/i.test(name) ? name : undefined)
}

/** Colour of the highest threshold that a value reaches. */
export function thresholdColor(defaults: FieldDefaults | undefined, value: number): string | undefined {
  let color: string | undefined
  for (const step of defaults?.thresholds?.steps ?? [])
    if (step.value === null || value >= step.value) color = step.color
  return cssColor(color)
}

/** Properties that overrides give to a series of this name. */
export function overridesFor(
  overrides: readonly FieldOverride[] | undefined,
  name: string,
): Map<string, unknown> {
  const properties = new Map<string, unknown>()
  for (const { matcher, properties: list } of overrides ?? [])
    if (matcher?.id === 'byName' && matcher.options === name)
      for (const { id, value } of list ?? []) properties.set(id, value)
  return properties
}
