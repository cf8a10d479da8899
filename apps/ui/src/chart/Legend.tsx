// Names and figures of a chart's series. A click shows one alone, again all; with Ctrl or ⌘ it switches one on or off.
import { type MouseEvent, type ReactNode } from 'react'
import { summarize, type Columns } from './columns.ts'
import type { TimeSeries } from './TimeChart.tsx'

export interface LegendProps {
  readonly columns: Columns
  readonly series: readonly TimeSeries[]
  readonly unit: (value: number) => string
  readonly hidden: ReadonlySet<number>
  readonly onHidden: (hidden: ReadonlySet<number>) => void
  readonly calcs?: readonly ('last' | 'min' | 'max' | 'mean')[]
}

export function Legend({ columns, series, unit, hidden, onHidden, calcs = [] }: LegendProps): ReactNode {
  const click = (index: number, event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey) {
      const next = new Set(hidden)
      if (!next.delete(index)) next.add(index)
      onHidden(next)
      return
    }
    const alone = hidden.size === series.length - 1 && !hidden.has(index)
    onHidden(new Set(alone ? [] : series.map((_, i) => i).filter((i) => i !== index)))
  }
  return (
    <div className="wf-legend">
      {series.map((one, i) => {
        const figures = calcs.length > 0 ? summarize(columns[i + 1] ?? []) : undefined
        return (
          <button
            key={i}
            type="button"
            aria-pressed={!hidden.has(i)}
            title={one.name}
            onClick={(event) => click(i, event)}
          >
            <span className="wf-dot" style={{ background: one.color }} />
            <span className="wf-tooltip-name" style={{ whiteSpace: calcs.length > 0 ? 'nowrap' : 'normal' }}>
              {one.name}
            </span>
            {figures &&
              calcs.map((calc) => (
                <span key={calc} style={{ opacity: 0.75, whiteSpace: 'nowrap' }}>
                  {calc} <b>{(one.unit ?? unit)(figures[calc])}</b>
                </span>
              ))}
          </button>
        )
      })}
    </div>
  )
}
