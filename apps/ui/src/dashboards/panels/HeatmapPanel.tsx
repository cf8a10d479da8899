// Grafana's `heatmap` panel over classic buckets: a column a step, a row a bucket, colour by count. Drawn on a canvas.
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useMemo, useRef, useState, type MouseEvent, type ReactNode } from 'react'
import { formatTime, formatUnit, shortNumber } from '../../api/format.ts'
import type { PanelData } from '../data.ts'
import type { PanelModel } from '../model.ts'
import { intervalSeconds } from '../time-range.ts'
import { bucketRows, type BucketRows } from './heatmap-rows.ts'

const LEFT = 62
const BOTTOM = 22
const TOP = 6

export function HeatmapPanel({
  panel,
  data,
  width,
  height,
}: {
  panel: PanelModel
  data: PanelData
  width: number
  height: number
}): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  const scheme = useComputedColorScheme('light')
  const [hover, setHover] = useState<{ column: number; row: number; left: number }>()
  const heat = useMemo(() => bucketRows(data), [data])
  const unit = panel.fieldConfig?.defaults?.unit ?? 's'
  useEffect(() => {
    if (canvas.current && width > LEFT && height > BOTTOM + TOP)
      drawHeat(canvas.current, heat, { width, height, unit, dark: scheme === 'dark' })
  }, [heat, width, height, unit, scheme])
  const move = (event: MouseEvent<HTMLCanvasElement>): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const left = event.clientX - box.left
    const column = Math.floor(((left - LEFT) / (width - LEFT)) * heat.times.length)
    const row =
      heat.rows.length -
      1 -
      Math.floor(((event.clientY - box.top - TOP) / (height - BOTTOM - TOP)) * heat.rows.length)
    const inside = column >= 0 && column < heat.times.length && row >= 0 && row < heat.rows.length
    setHover(inside ? { column, row, left } : undefined)
  }
  const row = hover && heat.rows[hover.row]
  return (
    <div style={{ position: 'relative', height: '100%' }}>
      <canvas
        ref={canvas}
        style={{ width, height, display: 'block' }}
        role="img"
        aria-label={`${panel.title ?? 'Heatmap'}, ${heat.rows.length} buckets`}
        onMouseMove={move}
        onMouseLeave={() => setHover(undefined)}
      />
      {hover && row && (
        <div
          className="wf-tooltip"
          style={hover.left > width / 2 ? { right: width - hover.left + 12 } : { left: hover.left + 12 }}
        >
          <div className="wf-tooltip-time">{formatTime(heat.times[hover.column]! * 1000)}</div>
          <div>
            {formatUnit(row.lower, unit)} – {row.upper === Infinity ? '∞' : formatUnit(row.upper, unit)}:{' '}
            <b>{shortNumber(row.counts[hover.column] ?? 0)}</b>
          </div>
        </div>
      )}
    </div>
  )
}

interface Look {
  width: number
  height: number
  unit: string
  dark: boolean
}

function drawHeat(canvas: HTMLCanvasElement, heat: BucketRows, { width, height, unit, dark }: Look): void {
  const ratio = devicePixelRatio
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const ctx = canvas.getContext('2d')!
  ctx.scale(ratio, ratio)
  ctx.clearRect(0, 0, width, height)
  const cellWidth = (width - LEFT) / Math.max(1, heat.times.length)
  const cellHeight = (height - BOTTOM - TOP) / Math.max(1, heat.rows.length)
  heat.rows.forEach((row, r) => {
    const y = height - BOTTOM - (r + 1) * cellHeight
    row.counts.forEach((count, c) => {
      if (!(count > 0)) return
      // The square root lets rare slow requests be seen beside many fast ones.
      const heatShare = Math.sqrt(count / heat.max)
      ctx.fillStyle = `hsl(${38 - 26 * heatShare} 95% ${dark ? 22 + 38 * heatShare : 88 - 42 * heatShare}%)`
      ctx.fillRect(
        LEFT + c * cellWidth + 0.5,
        y + 0.5,
        Math.max(1, cellWidth - 1),
        Math.max(1, cellHeight - 1),
      )
    })
  })
  ctx.fillStyle = dark ? '#9aa4b2' : '#5b6570'
  ctx.font = '11px system-ui, sans-serif'
  ctx.textAlign = 'right'
  ctx.textBaseline = 'middle'
  const every = Math.max(1, Math.ceil((heat.rows.length * 15) / (height - BOTTOM - TOP)))
  // Bounds stand between the rows they divide.
  const bounds = heat.rows.length === 0 ? [] : [heat.rows[0]!.lower, ...heat.rows.map((row) => row.upper)]
  bounds.forEach((bound, r) => {
    if (r % every === 0)
      ctx.fillText(
        bound === Infinity ? '∞' : formatUnit(bound, unit),
        LEFT - 6,
        Math.max(TOP + 4, height - BOTTOM - r * cellHeight),
      )
  })
  ctx.textAlign = 'center'
  ctx.textBaseline = 'top'
  const [start = 0, second = start + 1] = heat.times
  const cellSeconds = second - start
  const span = cellSeconds * heat.times.length
  const step = intervalSeconds(span * 1000, Math.max(2, (width - LEFT) / 80), 60)
  // Full hours and days are those of the reader's time zone.
  const zone = new Date(start * 1000).getTimezoneOffset() * 60
  for (let time = Math.ceil((start - zone) / step) * step + zone; time < start + span; time += step) {
    const text = formatTime(time * 1000)
    const x = LEFT + ((time - start) / cellSeconds + 0.5) * cellWidth
    if (x < width - 16)
      ctx.fillText(step >= 86_400 ? text.slice(5, 10) : text.slice(11, 16), x, height - BOTTOM + 6)
  }
}
