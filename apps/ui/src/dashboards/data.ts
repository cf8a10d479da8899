// Asks a panel's queries.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { apiPost, type MatrixItem, type QueryData, type VectorItem } from '../api/client.ts'
import { differingNames } from '../api/format.ts'
import type { PanelModel, VariableModel } from './model.ts'
import { intervalSeconds } from './time-range.ts'
import { interpolate, legendName, type Chosen } from './variables.ts'

/** What panels share: range, variables, where to ask. */
export interface BoardContext {
  readonly base: string
  readonly from: number
  readonly to: number
  readonly variables: readonly VariableModel[]
  readonly chosen: Chosen
  readonly options: Readonly<Record<string, readonly string[]>>
  readonly onZoom: (from: number, to: number) => void
}

const SCRAPE_INTERVAL_S = 15
/** Most points of a series that a panel asks for. */
const POINTS_MAX = 1100

export interface NamedSeries extends MatrixItem {
  readonly name: string
}

export interface PanelData {
  readonly start: number
  readonly end: number
  readonly step: number
  readonly series: readonly NamedSeries[]
  readonly instants: readonly (VectorItem & { name: string })[]
  /** Warnings and infos that came with the answers. */
  readonly notes: readonly string[]
}

/** The panel's data for its width; keeps the last answer on screen while the next is on its way. */
export function usePanelData(
  panel: PanelModel,
  context: BoardContext,
  width: number,
): { data: PanelData | undefined; error: unknown; isFetching: boolean } {
  const points = Math.min(POINTS_MAX, Math.max(60, Math.round(width / 4)))
  const rangeMs = context.to - context.from
  const step = intervalSeconds(rangeMs, points, SCRAPE_INTERVAL_S)
  const end = Math.floor(context.to / 1000 / step) * step
  const start = Math.ceil(context.from / 1000 / step) * step
  const builtin = {
    rangeMs,
    intervalS: step,
    scrapeIntervalS: SCRAPE_INTERVAL_S,
    from: context.from,
    to: context.to,
  }
  const targets = (panel.targets ?? [])
    .filter((target) => !target.hide && (target.expr ?? '').trim() !== '')
    .map((target) => ({
      instant: target.instant === true && target.range !== true,
      legend: target.legendFormat,
      query: interpolate(target.expr!, context.variables, context.chosen, context.options, builtin),
    }))
  const query = useQuery({
    queryKey: ['panel', context.base, start, end, step, targets],
    enabled: width > 0,
    gcTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<PanelData> => {
      const answers = await Promise.all(
        targets.map(({ query, instant }) =>
          instant
            ? apiPost<QueryData>('query', { query, time: String(end) }, { base: context.base, signal })
            : apiPost<QueryData>(
                'query_range',
                { query, start: String(start), end: String(end), step: String(step) },
                { base: context.base, signal },
              ),
        ),
      )
      const series: NamedSeries[] = []
      const instants: (VectorItem & { name: string })[] = []
      answers.forEach(({ data }, i) => {
        const legend = targets[i]!.legend
        if (data.resultType === 'matrix') {
          const auto = differingNames(data.result.map((item) => item.metric))
          data.result.forEach((item, at) =>
            series.push({ ...item, name: legendName(legend, item.metric, auto[at]!) }),
          )
        } else if (data.resultType === 'vector') {
          const auto = differingNames(data.result.map((item) => item.metric))
          data.result.forEach((item, at) =>
            instants.push({ ...item, name: legendName(legend, item.metric, auto[at]!) }),
          )
        } else instants.push({ metric: {}, value: data.result, name: legend ?? data.resultType })
      })
      const notes = [...new Set(answers.flatMap(({ warnings, infos }) => [...warnings, ...infos]))]
      return { start, end, step, series, instants, notes }
    },
  })
  return { data: query.data, error: query.error, isFetching: query.isFetching }
}
