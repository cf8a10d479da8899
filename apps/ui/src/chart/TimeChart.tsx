// Lines, areas, bars and stacks over time, drawn by uPlot from columns. Text goes into text nodes only: names come from strangers.
import 'uplot/dist/uPlot.min.css'
import './chart.css'
import { Portal, useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import uPlot from 'uplot'
import { formatTime } from '../api/format.ts'
import { stackColumns, type Columns } from './columns.ts'

export interface TimeSeries {
  readonly name: string
  /** For the tooltip, where there is little room. */
  readonly short?: string
  readonly color: string
  /** Draws on a second axis at the right. */
  readonly right?: boolean
  readonly unit?: (value: number) => string
}

export interface TimeChartProps {
  readonly columns: Columns
  readonly series: readonly TimeSeries[]
  readonly height: number
  readonly stacked?: boolean
  readonly bars?: boolean
  /** 0…1 */
  readonly fill?: number
  readonly lineWidth?: number
  readonly minZero?: boolean
  readonly unit: (value: number) => string
  /** For ticks, when `unit` rounds too much to tell them apart. */
  readonly axisUnit?: (value: number) => string
  /** Ticks at powers of two, for bytes. */
  readonly binary?: boolean
  /** What it shows, for those who cannot see it. */
  readonly label?: string
  readonly hidden?: ReadonlySet<number>
  /** Horizontal lines. */
  readonly thresholds?: readonly { readonly value: number; readonly color: string }[]
  /** Charts with the same key share a crosshair. */
  readonly syncKey?: string
  /** Called with seconds when the reader drags over a range. */
  readonly onZoom?: (from: number, to: number) => void
  /** Full time range, seconds: drawn even where there are no points. */
  readonly range?: readonly [number, number]
}

export function TimeChart(props: TimeChartProps): ReactNode {
  const { ref, width } = useElementSize()
  const holder = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme('light')
  const [hover, setHover] = useState<Hover>()
  const latest = useRef(props)
  useEffect(() => {
    latest.current = props
  })
  const {
    columns,
    series,
    height,
    stacked,
    bars,
    fill,
    lineWidth,
    minZero,
    hidden,
    thresholds,
    syncKey,
    range,
    binary,
  } = props

  useEffect(() => {
    if (!holder.current || width < 50) return
    const plotted = stacked ? stackColumns(columns, hidden) : columns
    const dark = scheme === 'dark'
    const axis: Partial<uPlot.Axis> = {
      stroke: dark ? '#9aa4b2' : '#5b6570',
      grid: { stroke: dark ? '#2b313a' : '#e8ebef', width: 1 },
      ticks: { stroke: dark ? '#2b313a' : '#e8ebef', width: 1 },
      font: '11px system-ui, sans-serif',
    }
    const chart = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 6 },
          drag: { x: true, y: false, setScale: false },
          ...(syncKey !== undefined && { sync: { key: syncKey, setSeries: false } }),
        },
        scales: {
          x: { time: true, range: (_u, min, max) => (range ? [range[0], range[1]] : [min ?? 0, max ?? 1]) },
          y: { range: (_u, min, max) => yRange(min, max, minZero ?? false, thresholds) },
          right: { range: (_u, min, max) => yRange(min, max, true) },
        },
        axes: [
          { ...axis, space: 62, values: TIME_TICKS },
          {
            ...axis,
            size: axisSize,
            values: (_u, ticks) =>
              ticks.map((tick) => (latest.current.axisUnit ?? latest.current.unit)(tick)),
            ...(binary && { incrs: POWERS_OF_TWO }),
          },
          ...(series.some((s) => s.right)
            ? [
                {
                  ...axis,
                  scale: 'right',
                  side: 1 as const,
                  size: axisSize,
                  grid: { show: false },
                  values: (_u: uPlot, ticks: number[]) =>
                    ticks.map((tick) =>
                      (latest.current.series.find((s) => s.right)?.unit ?? latest.current.unit)(tick),
                    ),
                },
              ]
            : []),
        ],
        ...(stacked && { bands: stackBands(series.length, hidden) }),
        series: [
          {},
          ...series.map((one, i) => ({
            label: one.name,
            scale: one.right ? 'right' : 'y',
            stroke: one.color,
            width: lineWidth ?? 1.5,
            show: !hidden?.has(i),
            ...((fill ?? 0) > 0 && { fill: withAlpha(one.color, fill!) }),
            points: { show: true, filter: (u: uPlot, at: number) => isolatedPoints(u.data[at] ?? []) },
            ...(bars && { paths: uPlot.paths.bars!({ size: [0.8, 40] }) }),
          })),
        ],
        hooks: {
          setCursor: [
            (u) => {
              const index = u.cursor.idx
              const left = u.cursor.left ?? -1
              // Charts that only follow the crosshair of another show no figures.
              if (index == null || left < 0 || !u.over.matches(':hover')) return setHover(undefined)
              const { left: x, top, width } = u.over.getBoundingClientRect()
              setHover({ index, x: x + left, top, rightHalf: left > width / 2 })
            },
          ],
          setSelect: [
            (u) => {
              if (u.select.width < 4) return
              const from = u.posToVal(u.select.left, 'x')
              const to = u.posToVal(u.select.left + u.select.width, 'x')
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
              latest.current.onZoom?.(from, to)
            },
          ],
          draw: [(u) => drawThresholds(u, thresholds ?? [])],
        },
      },
      plotted as uPlot.AlignedData,
      holder.current,
    )
    return () => chart.destroy()
  }, [
    columns,
    series,
    width,
    height,
    stacked,
    bars,
    fill,
    lineWidth,
    minZero,
    hidden,
    thresholds,
    syncKey,
    scheme,
    range,
    binary,
  ])

  return (
    <div
      ref={ref}
      className="wf-chart"
      style={{ height }}
      role="img"
      aria-label={`${props.label ?? 'Graph'}, ${series.length} series`}
    >
      <div ref={holder} />
      {hover && <Tooltip {...props} hover={hover} />}
    </div>
  )
}

/** uPlot's tick formats: [tick size in s, format, then what is added where the year, day or minute changes]. 24 hours, day before month only in words. */
const TIME_TICKS: uPlot.Axis.Values = [
  [86_400 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [86_400 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{MMM} {D}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{MMM} {D}', null, '\n{MMM} {D}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{MMM} {D}', null, '\n{MMM} {D}', null, null, null, 1],
  [
    0.001,
    ':{ss}.{fff}',
    '\n{MMM} {D} {HH}:{mm}',
    null,
    '\n{MMM} {D} {HH}:{mm}',
    null,
    '\n{HH}:{mm}',
    null,
    1,
  ],
]

/** Each visible series is filled down to the next visible one, so that colours do not mix. */
function stackBands(count: number, hidden: ReadonlySet<number> | undefined): uPlot.Band[] {
  const visible = Array.from({ length: count }, (_, i) => i).filter((i) => !hidden?.has(i))
  return visible.slice(0, -1).map((i, at) => ({ series: [i + 1, visible[at + 1]! + 1] }))
}

/** Where the pointer is, in pixels of the window: panels clip what reaches over them. */
interface Hover {
  index: number
  x: number
  top: number
  rightHalf: boolean
}

const TOOLTIP_ROWS = 14
const TOOLTIP_ROW_HEIGHT = 19
const POWERS_OF_TWO = Array.from({ length: 60 }, (_, i) => 2 ** i)

function Tooltip({ columns, series, unit, hover, hidden }: TimeChartProps & { hover: Hover }): ReactNode {
  const time = columns[0]?.[hover.index]
  if (time === undefined || time === null) return null
  const rows = series
    .map((one, i) => ({ one, value: columns[i + 1]?.[hover.index] ?? null, i }))
    .filter((row): row is typeof row & { value: number } => row.value !== null && !hidden?.has(row.i))
    .sort((a, b) => b.value - a.value)
  if (rows.length === 0) return null
  const height = (Math.min(rows.length, TOOLTIP_ROWS + 1) + 1) * TOOLTIP_ROW_HEIGHT + 16
  return (
    <Portal>
      <div
        className="wf-tooltip"
        style={{
          position: 'fixed',
          top: Math.max(8, Math.min(hover.top + 8, window.innerHeight - height)),
          ...(hover.rightHalf
            ? { right: document.documentElement.clientWidth - hover.x + 14 }
            : { left: hover.x + 14 }),
        }}
      >
        <div className="wf-tooltip-time">{formatTime(time * 1000)}</div>
        {rows.slice(0, TOOLTIP_ROWS).map(({ one, value, i }) => (
          <div key={i} className="wf-tooltip-row">
            <span className="wf-dot" style={{ background: one.color }} />
            <span className="wf-tooltip-name">{one.short ?? one.name}</span>
            <b>{(one.unit ?? unit)(value)}</b>
          </div>
        ))}
        {rows.length > TOOLTIP_ROWS && (
          <div className="wf-tooltip-time">and {rows.length - TOOLTIP_ROWS} more</div>
        )}
      </div>
    </Portal>
  )
}

function yRange(
  min: number | null,
  max: number | null,
  zero: boolean,
  thresholds: readonly { readonly value: number }[] = [],
): [number, number] {
  let low = min ?? 0
  let high = max ?? 1
  // A threshold near the data is worth showing, one far away would flatten it.
  for (const { value } of thresholds)
    if (value > high && value <= Math.max(high * 4, high + 0.1)) high = value
  if (zero) low = Math.min(0, low)
  if (low === high)
    return low === 0
      ? [0, 1]
      : [Math.min(low * 0.9, low * 1.1, zero ? 0 : low * 0.9), Math.max(low * 0.9, low * 1.1)]
  const pad = (high - low) * 0.06
  return [zero && low >= 0 ? 0 : low - pad, high + pad]
}

/** Wide enough for the longest tick. */
function axisSize(_u: uPlot, ticks: string[] | null): number {
  const longest = Math.max(3, ...(ticks ?? []).map((tick) => tick.length))
  return Math.min(110, 18 + longest * 6.4)
}

/** Points without neighbours, which a line does not draw. */
function isolatedPoints(column: ArrayLike<number | null | undefined>): number[] {
  const isolated: number[] = []
  for (let i = 0; i < column.length; i++)
    if (column[i] != null && column[i - 1] == null && column[i + 1] == null) isolated.push(i)
  return isolated
}

function drawThresholds(
  u: uPlot,
  thresholds: readonly { readonly value: number; readonly color: string }[],
): void {
  const { ctx } = u
  for (const { value, color } of thresholds) {
    const y = u.valToPos(value, 'y', true)
    if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) continue
    ctx.save()
    ctx.strokeStyle = color
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(u.bbox.left, y)
    ctx.lineTo(u.bbox.left + u.bbox.width, y)
    ctx.stroke()
    ctx.restore()
  }
}

function withAlpha(color: string, alpha: number): string {
  const value = /^#([0-9a-f]{6})$/i.exec(color)?.[1]
  if (value === undefined) return color
  const byte = Math.round(Math.min(1, Math.max(0, alpha)) * 255)
  return `#${value}${byte.toString(16).padStart(2, '0')}`
}
