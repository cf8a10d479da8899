// Result of an instant query.
import { Group, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { apiPost, type ApiHistogram, type QueryData } from '../../api/client.ts'
import { formatSeconds, seriesName } from '../../api/format.ts'
import { Empty, Failed, Loading, Notes } from '../../components/States.tsx'
import { MomentInput } from './MomentInput.tsx'
import type { PanelState } from './panel-state.ts'

/** More rows than this are not drawn. */
const ROWS_MAX = 10_000

interface TabProps {
  readonly state: PanelState
  readonly runs: number
  readonly onChange: (state: PanelState) => void
  readonly onStatus: (text: string) => void
}

export function TableTab({ state, runs, onChange, onStatus }: TabProps): ReactNode {
  const { expr, momentMs } = state
  const { data, error, isFetching } = useQuery({
    queryKey: ['query', expr, momentMs, runs],
    enabled: expr !== '',
    gcTime: 0,
    retry: false,
    queryFn: async ({ signal }) => {
      const began = performance.now()
      const answer = await apiPost<QueryData>(
        'query',
        { query: expr, time: String((momentMs ?? Date.now()) / 1000) },
        { signal },
      )
      return { ...answer, ms: performance.now() - began }
    },
  })
  const rows = data ? toRows(data.data) : []
  useEffect(() => {
    onStatus(data && !isFetching ? `${rows.length} series · ${formatSeconds(data.ms / 1000)}` : '')
    // Rows follow from data.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [data, isFetching])
  return (
    <>
      <Group>
        <MomentInput
          label="Evaluation time"
          value={momentMs}
          onChange={(value) => onChange({ ...state, momentMs: value })}
        />
      </Group>
      {error && <Failed error={error} />}
      {data && <Notes warnings={data.warnings} infos={data.infos} />}
      {isFetching && !data && <Loading />}
      {expr === '' && (
        <Empty title="No query yet">
          Write an expression and press Enter. Completion knows metrics, labels and functions.
        </Empty>
      )}
      {data && !error && rows.length === 0 && (
        <Empty title="Empty result">No series matched at this moment, or the operation left none.</Empty>
      )}
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={400}>
          <Table highlightOnHover>
            <Table.Tbody>
              {rows.slice(0, ROWS_MAX).map((row, i) => (
                <Table.Tr key={i}>
                  <Table.Td className="wf-mono wf-break" fz={13}>
                    {row.name}
                  </Table.Td>
                  <Table.Td
                    ta="right"
                    className="wf-mono"
                    fz={13}
                    style={{ whiteSpace: 'pre-line', verticalAlign: 'top' }}
                  >
                    {row.value}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {rows.length > ROWS_MAX && (
            <Text size="sm" c="dimmed">
              The first {ROWS_MAX} of {rows.length} series are shown.
            </Text>
          )}
        </Table.ScrollContainer>
      )}
    </>
  )
}

interface Row {
  name: string
  value: string
}

function toRows(data: QueryData): Row[] {
  switch (data.resultType) {
    case 'scalar':
    case 'string':
      return [{ name: data.resultType, value: data.result[1] }]
    case 'vector':
      return data.result.map((item) => ({
        name: seriesName(item.metric),
        value: item.histogram ? histogramText(item.histogram[1]) : (item.value?.[1] ?? ''),
      }))
    case 'matrix':
      return data.result.map((item) => ({
        name: seriesName(item.metric),
        value: [
          ...(item.values ?? []).map(([time, value]) => `${value} @${time}`),
          ...(item.histograms ?? []).map(([time, histogram]) => `${histogramText(histogram)} @${time}`),
        ].join('\n'),
      }))
  }
}

function histogramText(histogram: ApiHistogram): string {
  const buckets = (histogram.buckets ?? []).map(([rule, low, high, count]) => {
    const open = rule === 1 || rule === 3 ? '[' : '('
    const close = rule === 0 || rule === 3 ? ']' : ')'
    return `${open}${low}, ${high}${close}  ${count}`
  })
  return [`count ${histogram.count}  sum ${histogram.sum}`, ...buckets].join('\n')
}
