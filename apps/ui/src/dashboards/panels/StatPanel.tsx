// Grafana's `stat` panel (gauges are shown the same way): the last value large, the way there small behind it.
import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatUnit } from '../../api/format.ts'
import { seriesColor } from '../../theme/theme.ts'
import type { PanelData } from '../data.ts'
import { cssColor, thresholdColor, type PanelModel } from '../model.ts'

interface Value {
  name: string
  last: number
  points: number[]
}

export function StatPanel({
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
  const defaults = panel.fieldConfig?.defaults
  const values: Value[] = [
    ...data.series.map((one) => {
      const points = (one.values ?? []).map(([, text]) => Number(text)).filter(Number.isFinite)
      return { name: one.name, last: points.at(-1) ?? NaN, points }
    }),
    ...data.instants.map((one) => ({ name: one.name, last: Number(one.value?.[1] ?? NaN), points: [] })),
  ]
  const sparkline = (panel.options as { graphMode?: string } | undefined)?.graphMode !== 'none'
  const each = width / Math.max(1, values.length)
  return (
    <Group h="100%" gap={0} wrap="nowrap" grow>
      {values.map((value, i) => {
        const color =
          (defaults?.color?.mode === 'fixed'
            ? cssColor(defaults.color.fixedColor)
            : thresholdColor(defaults, value.last)) ?? seriesColor(i)
        return (
          <div key={i} style={{ position: 'relative', height: '100%', minWidth: 0 }}>
            {sparkline && value.points.length > 1 && (
              <Sparkline points={value.points} color={color} width={each} height={height} />
            )}
            <div
              style={{
                position: 'relative',
                display: 'flex',
                flexDirection: 'column',
                alignItems: 'center',
                justifyContent: 'center',
                height: '100%',
                // Above the way there.
                paddingBottom: sparkline && value.points.length > 1 ? height * 0.2 : 0,
              }}
            >
              <Text
                fw={700}
                c={color}
                lh={1.1}
                fz={Math.max(20, Math.min(46, height * 0.42, each / 6))}
                truncate
              >
                {Number.isNaN(value.last)
                  ? (defaults?.noValue ?? '–')
                  : formatUnit(value.last, defaults?.unit ?? 'short', defaults?.decimals)}
              </Text>
              {values.length > 1 && (
                <Text size="xs" c="dimmed" truncate maw="95%">
                  {value.name}
                </Text>
              )}
            </div>
          </div>
        )
      })}
    </Group>
  )
}

function Sparkline({
  points,
  color,
  width,
  height,
}: {
  points: readonly number[]
  color: string
  width: number
  height: number
}): ReactNode {
  const low = Math.min(...points)
  const high = Math.max(...points)
  const x = (i: number): number => (i / (points.length - 1)) * width
  const y = (value: number): number =>
    height - 3 - (high === low ? 0.3 : (value - low) / (high - low)) * height * 0.4
  const line = points.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  return (
    <svg
      width="100%"
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      style={{ position: 'absolute', inset: 0 }}
      aria-hidden="true"
    >
      <polygon points={`0,${height} ${line} ${width},${height}`} fill={color} opacity={0.13} />
      <polyline
        points={line}
        fill="none"
        stroke={color}
        strokeWidth={1.5}
        opacity={0.55}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}
