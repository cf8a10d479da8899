import { describe, expect, it } from 'vitest'
import { placePanels } from './layout.ts'
import type { PanelModel } from './model.ts'

const panel = (title: string, x: number, y: number, w: number, h: number): PanelModel => ({
  type: 'timeseries',
  title,
  gridPos: { x, y, w, h },
})
const shown = (panels: PanelModel[], toggled: PanelModel[] = []): string[] =>
  placePanels(panels, new Set(toggled)).map((one) => `${one.panel.title} ${one.x},${one.y} ${one.w}x${one.h}`)

describe('layout of a dashboard', () => {
  const closed: PanelModel = {
    type: 'row',
    title: 'closed',
    collapsed: true,
    gridPos: { x: 0, y: 4, w: 24, h: 1 },
    panels: [panel('inside', 0, 5, 12, 6)],
  }
  const open: PanelModel = { type: 'row', title: 'open', gridPos: { x: 0, y: 5, w: 24, h: 1 } }
  const board = [panel('a', 0, 0, 12, 4), panel('b', 12, 0, 12, 4), closed, open, panel('c', 0, 6, 24, 8)]

  it('hides what a closed row holds and keeps the grid of the rest', () => {
    expect(shown(board)).toEqual([
      'a 0,0 12x4',
      'b 12,0 12x4',
      'closed 0,4 24x1',
      'open 0,5 24x1',
      'c 0,6 24x8',
    ])
  })

  it('moves what follows down when a row is opened, and up when one is closed', () => {
    expect(shown(board, [closed]).slice(2)).toEqual([
      'closed 0,4 24x1',
      'inside 0,5 12x6',
      'open 0,11 24x1',
      'c 0,12 24x8',
    ])
    expect(shown(board, [open]).slice(2)).toEqual(['closed 0,4 24x1', 'open 0,5 24x1'])
  })

  it('takes positions that make no sense without breaking', () => {
    expect(shown([panel('far', 30, 1e9, 99, -3), panel('odd', NaN, NaN, NaN, NaN)])).toEqual([
      'far 23,100000 1x1',
      'odd 0,0 1x1',
    ])
    expect(shown([])).toEqual([])
  })
})
