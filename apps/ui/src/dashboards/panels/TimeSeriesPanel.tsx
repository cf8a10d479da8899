// Grafana's `timeseries` panel.
import { useMemo, useState, type ReactNode } from 'react'
import { formatUnit } from '../../api/format.ts'
import { Legend } from '../../chart/Legend.tsx'
import { TimeChart, type TimeSeries } from '../../chart/TimeChart.tsx'
import { toColumns } from '../../chart/columns.ts'
import { seriesColor } from '../../theme/theme.ts'
import type { PanelData } from '../data.ts'
import { cssColor, overridesFor, type PanelModel } from '../model.ts'

const NONE: ReadonlySet<number> = new Set()
const CALCS = { lastNotNull: 'last', last: 'last', min: 'min', max: 'max', mean: 'mean' } as const
const LEGEND_ROW = 20

interface Options {
  legend?: { showLegend?: boolean; displayMode?: string; calcs?: string[] }
}

export function TimeSeriesPanel({
  panel,
  data,
  height,
  onZoom,
}: {
  panel: PanelModel
  data: PanelData
  height: number
  onZoom: (from: number, to: number) => void
}): ReactNode {
  const [hidden, setHidden] = useState<ReadonlySet<number>>(NONE)
  const defaults = panel.fieldConfig?.defaults
  const custom = defaults?.custom
  const overrides = panel.fieldConfig?.overrides
  const columns = useMemo(() => toColumns(data.series, data.start, data.end, data.step), [data])
  const series = useMemo(
    () =>
      data.series.map((one, i): TimeSeries => {
        const own = overridesFor(overrides, one.name)
        const color = (own.get('color') as { fixedColor?: string } | undefined)?.fixedColor
        const unit = own.get('unit')
        return {
          name: one.name,
          color: cssColor(color) ?? seriesColor(i),
          right: own.get('custom.axisPlacement') === 'right',
          ...(typeof unit === 'string' && { unit: (value: number) => formatUnit(value, unit) }),
        }
      }),
    [data, overrides],
  )
  const unit = useMemo(
    () => (value: number) => formatUnit(value, defaults?.unit ?? 'short', defaults?.decimals),
    [defaults],
  )
  const axisUnit = useMemo(() => (value: number) => formatUnit(value, defaults?.unit ?? 'short'), [defaults])
  const thresholds = useMemo(() => {
    const style =
      typeof custom?.thresholdsStyle === 'string' ? custom.thresholdsStyle : custom?.thresholdsStyle?.mode
    if (style === undefined || style === 'off') return []
    return (defaults?.thresholds?.steps ?? []).flatMap((step) =>
      step.value === null || cssColor(step.color) === undefined
        ? []
        : [{ value: step.value, color: cssColor(step.color)! }],
    )
  }, [defaults, custom])
  const range = useMemo((): [number, number] => [data.start, data.end], [data])
  const { legend } = (panel.options ?? {}) as Options
  const calcs = (legend?.calcs ?? []).flatMap((calc) =>
    calc in CALCS ? [CALCS[calc as keyof typeof CALCS]] : [],
  )
  const showLegend = legend?.showLegend !== false && legend?.displayMode !== 'hidden'
  const legendHeight = showLegend ? Math.min(series.length * LEGEND_ROW, height * 0.35) : 0
  const chartHeight = Math.max(60, height - legendHeight - 4)
  return (
    <div style={{ display: 'flex', flexDirection: 'column', height: '100%', overflow: 'hidden' }}>
      <TimeChart
        columns={columns}
        series={series}
        height={chartHeight}
        stacked={custom?.stacking?.mode === 'normal'}
        bars={custom?.drawStyle === 'bars'}
        fill={(custom?.fillOpacity ?? 0) / 100}
        lineWidth={custom?.lineWidth ?? 1}
        minZero={defaults?.min === 0}
        unit={unit}
        axisUnit={axisUnit}
        binary={defaults?.unit === 'bytes'}
        label={panel.title ?? 'Graph'}
        hidden={hidden}
        thresholds={thresholds}
        syncKey="board"
        range={range}
        onZoom={onZoom}
      />
      {showLegend && (
        <div style={{ height: legendHeight, overflowY: 'auto' }}>
          <Legend
            columns={columns}
            series={series}
            unit={unit}
            hidden={hidden}
            onHidden={setHidden}
            calcs={calcs}
          />
        </div>
      )}
    </div>
  )
}
