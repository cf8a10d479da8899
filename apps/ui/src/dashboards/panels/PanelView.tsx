// One panel: its frame, its three other looks, and the drawing its type asks for.
import { Loader, Text, Tooltip } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { usePanelData, type BoardContext } from '../data.ts'
import type { PanelModel } from '../model.ts'
import { HeatmapPanel } from './HeatmapPanel.tsx'
import classes from './PanelView.module.css'
import { StatPanel } from './StatPanel.tsx'
import { TablePanel } from './TablePanel.tsx'
import { TimeSeriesPanel } from './TimeSeriesPanel.tsx'

export function PanelView({ panel, context }: { panel: PanelModel; context: BoardContext }): ReactNode {
  const { ref, width, height } = useElementSize()
  const { data, error, isFetching } = usePanelData(panel, context, width)
  const draw = (): ReactNode => {
    if (panel.type === 'text')
      return (
        <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
          {String((panel.options as { content?: unknown } | undefined)?.content ?? '')}
        </Text>
      )
    if (!data) return error ? null : <Loader size="xs" className={classes['middle']!} />
    if (data.series.length === 0 && data.instants.length === 0)
      return (
        <Text size="sm" c="dimmed" className={classes['middle']!}>
          {panel.fieldConfig?.defaults?.noValue ?? 'No data'}
        </Text>
      )
    switch (panel.type) {
      case 'timeseries':
      case 'graph':
        return <TimeSeriesPanel panel={panel} data={data} height={height} onZoom={context.onZoom} />
      case 'stat':
      case 'singlestat':
      case 'gauge':
      case 'bargauge':
        return <StatPanel panel={panel} data={data} width={width} height={height} />
      case 'heatmap':
        return <HeatmapPanel panel={panel} data={data} width={width} height={height} />
      case 'table':
      case 'table-old':
        return <TablePanel panel={panel} data={data} />
      default:
        return (
          <Text size="sm" c="dimmed" className={classes['middle']!}>
            Panels of type “{panel.type}” are not drawn yet
          </Text>
        )
    }
  }
  return (
    <section className={`wf-panel ${classes['panel']}`} aria-label={panel.title}>
      <header className={classes['header']}>
        <Text size="sm" fw={600} truncate>
          {panel.title}
        </Text>
        {panel.description !== undefined && panel.description !== '' && (
          <Tooltip label={panel.description} multiline maw={340}>
            <IconInfoCircle size={15} opacity={0.45} aria-label={panel.description} tabIndex={0} />
          </Tooltip>
        )}
        {error !== null && error !== undefined && (
          <Tooltip label={error instanceof Error ? error.message : String(error)} multiline maw={420}>
            <IconAlertTriangle size={16} color="#e5484d" aria-label="Query failed" tabIndex={0} />
          </Tooltip>
        )}
        {data && data.notes.length > 0 && (
          <Tooltip label={data.notes.join('\n')} multiline maw={420} style={{ whiteSpace: 'pre-line' }}>
            <IconAlertTriangle size={15} color="#d6a419" aria-label={data.notes.join('; ')} tabIndex={0} />
          </Tooltip>
        )}
        {isFetching && data && <Loader size={12} ml="auto" />}
      </header>
      <div ref={ref} className={classes['body']}>
        {draw()}
        {error !== null && error !== undefined && !data && (
          <Text size="sm" c="red" className={`${classes['middle']} wf-break`}>
            {error instanceof Error ? error.message : String(error)}
          </Text>
        )}
      </div>
    </section>
  )
}
