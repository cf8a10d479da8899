// Result of a range query, drawn.
import { ActionIcon, Checkbox, Group, SegmentedControl, Select, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { IconMinus, IconPlus } from '@tabler/icons-react'
import { formatDuration } from '@watchfire/datamodel'
import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { apiPost, type QueryData } from '../../api/client.ts'
import { differingNames, formatSeconds, seriesName, shortNumber } from '../../api/format.ts'
import { Legend } from '../../chart/Legend.tsx'
import { TimeChart } from '../../chart/TimeChart.tsx'
import { toColumns } from '../../chart/columns.ts'
import { Empty, Failed, Loading, Notes } from '../../components/States.tsx'
import { seriesColor } from '../../theme/theme.ts'
import { MomentInput } from './MomentInput.tsx'
import { stepSeconds, type PanelState } from './panel-state.ts'

const MINUTE = 60_000
const RANGES_MS = [1, 5, 15, 30, 60, 120, 360, 720, 1440, 2880, 10_080, 20_160, 40_320, 86_400].map(
  (m) => m * MINUTE,
)
/** More series than this are not drawn: nobody could tell them apart. */
const SERIES_MAX = 200
const NONE: ReadonlySet<number> = new Set()

interface TabProps {
  readonly state: PanelState
  readonly runs: number
  readonly onChange: (state: PanelState) => void
  readonly onStatus: (text: string) => void
}

export function GraphTab({ state, runs, onChange, onStatus }: TabProps): ReactNode {
  const { expr, rangeMs, endMs } = state
  const step = stepSeconds(state)
  const [hidden, setHidden] = useState<ReadonlySet<number>>(NONE)
  const { data, error, isFetching } = useQuery({
    queryKey: ['query_range', expr, rangeMs, endMs, step, runs],
    enabled: expr !== '',
    gcTime: 0,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const began = performance.now()
      const end = Math.floor((endMs ?? Date.now()) / 1000)
      const start = end - rangeMs / 1000
      const answer = await apiPost<QueryData>(
        'query_range',
        { query: expr, start: String(start), end: String(end), step: String(step) },
        { signal },
      )
      setHidden(NONE)
      return { ...answer, start, end, step, ms: performance.now() - began }
    },
  })
  const items = useMemo(() => (data?.data.resultType === 'matrix' ? data.data.result : []), [data])
  const drawn = useMemo(() => items.slice(0, SERIES_MAX), [items])
  const columns = useMemo(
    () => (data ? toColumns(drawn, data.start, data.end, data.step) : [[]]),
    [data, drawn],
  )
  const series = useMemo(() => {
    const short = differingNames(drawn.map((item) => item.metric))
    return drawn.map((item, i) => ({
      name: seriesName(item.metric),
      short: short[i]!,
      color: seriesColor(i),
    }))
  }, [drawn])
  const range = useMemo((): [number, number] => [data?.start ?? 0, data?.end ?? 1], [data])
  useEffect(() => {
    onStatus(
      data && !isFetching
        ? `${items.length} series · step ${formatSeconds(data.step)} · ${formatSeconds(data.ms / 1000)}`
        : '',
    )
    // Items follow from data.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [data, isFetching])
  const shift = (by: number): void => {
    const at = RANGES_MS.findIndex((ms) => ms >= rangeMs)
    onChange({
      ...state,
      rangeMs: RANGES_MS[Math.min(RANGES_MS.length - 1, Math.max(0, (at < 0 ? RANGES_MS.length : at) + by))]!,
    })
  }
  return (
    <>
      <Group gap="sm">
        <Group gap={4} wrap="nowrap">
          <ActionIcon variant="default" aria-label="Shorter range" onClick={() => shift(-1)}>
            <IconMinus size={14} />
          </ActionIcon>
          <Text size="sm" w={52} ta="center" className="wf-mono">
            {formatDuration(rangeMs)}
          </Text>
          <ActionIcon variant="default" aria-label="Longer range" onClick={() => shift(1)}>
            <IconPlus size={14} />
          </ActionIcon>
        </Group>
        <MomentInput
          label="End time"
          value={endMs}
          onChange={(value) => onChange({ ...state, endMs: value })}
        />
        <Select
          aria-label="Resolution"
          size="xs"
          w={170}
          value={
            state.resolution.kind === 'auto' ? state.resolution.density : String(state.resolution.seconds)
          }
          data={[
            {
              group: 'Automatic',
              items: ['low', 'medium', 'high'].map((value) => ({ value, label: `${value} resolution` })),
            },
            {
              group: 'Fixed step',
              items: [10, 30, 60, 300, 900, 3600].map((s) => ({ value: String(s), label: formatSeconds(s) })),
            },
          ]}
          allowDeselect={false}
          onChange={(value) =>
            onChange({
              ...state,
              resolution:
                value === 'low' || value === 'medium' || value === 'high'
                  ? { kind: 'auto', density: value }
                  : { kind: 'fixed', seconds: Number(value) },
            })
          }
        />
        <SegmentedControl
          size="xs"
          value={state.stacked ? 'stacked' : 'lines'}
          aria-label="Drawing"
          data={['lines', 'stacked']}
          onChange={(value) => onChange({ ...state, stacked: value === 'stacked' })}
        />
        <Checkbox
          size="xs"
          label="Y axis from 0"
          checked={state.minZero}
          onChange={(event) => onChange({ ...state, minZero: event.currentTarget.checked })}
        />
      </Group>
      {error && <Failed error={error} />}
      {data && !error && <Notes warnings={data.warnings} infos={data.infos} />}
      {isFetching && !data && <Loading />}
      {expr === '' && <Empty title="No query yet">Write an expression and press Enter.</Empty>}
      {data && !error && items.length === 0 && <Empty title="Empty result">No series in this range.</Empty>}
      {!error && items.length > 0 && (
        <>
          <TimeChart
            columns={columns}
            series={series}
            height={380}
            stacked={state.stacked}
            fill={state.stacked ? 0.35 : 0}
            minZero={state.minZero || state.stacked}
            unit={shortNumber}
            hidden={hidden}
            range={range}
            onZoom={(from, to) =>
              onChange({
                ...state,
                endMs: Math.round(to) * 1000,
                rangeMs: Math.max(1000, Math.round(to - from) * 1000),
              })
            }
          />
          <Legend columns={columns} series={series} unit={shortNumber} hidden={hidden} onHidden={setHidden} />
          {items.length > SERIES_MAX && (
            <Text size="sm" c="dimmed">
              The first {SERIES_MAX} of {items.length} series are drawn. The table shows all.
            </Text>
          )}
        </>
      )}
    </>
  )
}
