// Where panels stand in Grafana's grid of 24 columns, with rows that open and close.
import type { PanelModel } from './model.ts'

/** Grid units; x and y from 0. */
export interface Placed {
  readonly panel: PanelModel
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  /** Of a row: whether its panels are shown. */
  readonly open?: boolean
}

interface Section {
  readonly row: PanelModel | undefined
  readonly panels: PanelModel[]
}

const COLUMNS = 24

/** A row keeps its panels in itself while it is closed; those of an open one follow it. */
function sections(panels: readonly PanelModel[]): Section[] {
  const list: Section[] = [{ row: undefined, panels: [] }]
  for (const panel of panels)
    if (panel.type === 'row') list.push({ row: panel, panels: [...(panel.panels ?? [])] })
    else list.at(-1)!.panels.push(panel)
  return list
}

/** Places panels one section under the other; rows in `toggled` are the other way round than the file has them. */
export function placePanels(panels: readonly PanelModel[], toggled: ReadonlySet<PanelModel>): Placed[] {
  const placed: Placed[] = []
  let top = 0
  for (const { row, panels: own } of sections(panels)) {
    let open = true
    if (row) {
      open = (row.collapsed !== true) !== toggled.has(row)
      placed.push({ panel: row, x: 0, y: top, w: COLUMNS, h: 1, open })
      top++
    }
    if (!open) continue
    const boxes = own.map((panel, i) => {
      const { x = 0, y = i * 8, w = 12, h = 8 } = panel.gridPos ?? {}
      const left = within(x, 0, COLUMNS - 1)
      return {
        panel,
        x: left,
        y: within(y, 0, 100_000),
        w: within(w, 1, COLUMNS - left),
        h: within(h, 1, 100),
      }
    })
    const first = Math.min(...boxes.map((box) => box.y))
    for (const box of boxes) placed.push({ ...box, y: top + box.y - first })
    top = Math.max(top, ...boxes.map((box) => top + box.y - first + box.h))
  }
  return placed
}

/** Positions come from files of strangers. */
function within(value: number, low: number, high: number): number {
  return Number.isFinite(value) ? Math.min(high, Math.max(low, Math.round(value))) : low
}
