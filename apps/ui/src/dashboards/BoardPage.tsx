// A dashboard: variables and time range above, panels in Grafana's grid of 24 columns below.
import { Button, Group, Menu, MultiSelect, Select, Stack, Text, Title } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { IconChevronDown, IconChevronRight, IconClock, IconRefresh, IconZoomOut } from '@tabler/icons-react'
import { parseDuration } from '@watchfire/datamodel'
import { useEffect, useMemo, useState, type CSSProperties, type ReactNode } from 'react'
import { useParams, useSearchParams } from 'react-router'
import { Failed, Loading } from '../components/States.tsx'
import { getJson, type DataSource } from './api.ts'
import classes from './BoardPage.module.css'
import type { BoardContext } from './data.ts'
import { placePanels } from './layout.ts'
import type { Board, PanelModel, VariableModel } from './model.ts'
import { PanelView } from './panels/PanelView.tsx'
import { QUICK_RANGES, rangeLabel, resolveTime } from './time-range.ts'
import { ALL, initialChoice, variableOptions, type Chosen } from './variables.ts'

const REFRESHES = ['', '5s', '10s', '15s', '30s', '1m', '5m', '15m', '1h']

export function BoardPage({ uid: given }: { uid?: string }): ReactNode {
  const { uid = given ?? '' } = useParams()
  const board = useQuery({
    queryKey: ['board', uid],
    queryFn: () => getJson<{ dashboard: Board }>(`/api/dashboards/uid/${encodeURIComponent(uid)}`),
  })
  const sources = useQuery({
    queryKey: ['datasources'],
    queryFn: () => getJson<DataSource[]>('/api/datasources'),
  })
  if (board.error || sources.error)
    return <Failed error={board.error ?? sources.error} title="The dashboard cannot be shown" />
  if (!board.data || !sources.data) return <Loading />
  const source = sources.data.find((one) => one.isDefault) ?? sources.data[0]
  if (!source) return <Failed error="No data source is provisioned." />
  return (
    <OpenBoard
      key={uid}
      board={board.data.dashboard}
      base={`/api/datasources/proxy/uid/${encodeURIComponent(source.uid)}`}
    />
  )
}

function OpenBoard({ board, base }: { board: Board; base: string }): ReactNode {
  const [params, setParams] = useSearchParams()
  const from = params.get('from') ?? board.time?.from ?? 'now-1h'
  const to = params.get('to') ?? board.time?.to ?? 'now'
  const refresh = params.get('refresh') ?? (typeof board.refresh === 'string' ? board.refresh : '')
  const [now, tick] = useNow(refresh)
  const fromMs = resolveTime(from, now) ?? now - 3_600_000
  const toMs = resolveTime(to, now) ?? now
  const variables = useMemo(() => board.templating?.list ?? [], [board])
  const { chosen, options } = useVariables(variables, params, base, fromMs, toMs)
  const change = (entries: Record<string, string | readonly string[]>): void =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before)
        for (const [name, value] of Object.entries(entries)) {
          next.delete(name)
          for (const item of typeof value === 'string' ? [value] : value) next.append(name, item)
        }
        return next
      },
      { replace: false },
    )
  const zoom = (start: number, end: number): void =>
    change({ from: String(Math.round(start * 1000)), to: String(Math.round(end * 1000)) })
  const context: BoardContext = { base, from: fromMs, to: toMs, variables, chosen, options, onZoom: zoom }
  useEffect(() => {
    document.title = `${board.title} · Watchfire`
  }, [board])
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="center">
        <Title order={1} size="h3">
          {board.title}
        </Title>
        <Group gap="xs">
          <RangeMenu
            label={rangeLabel({ from, to })}
            onPick={(start) => change({ from: start, to: 'now' })}
          />
          <Button
            variant="default"
            size="xs"
            aria-label="Zoom out"
            onClick={() => {
              const half = (toMs - fromMs) / 2
              change({
                from: String(Math.round(fromMs - half)),
                to: String(Math.round(Math.min(now, toMs + half))),
              })
            }}
          >
            <IconZoomOut size={15} />
          </Button>
          <Button variant="default" size="xs" aria-label="Refresh now" onClick={tick}>
            <IconRefresh size={15} />
          </Button>
          <Select
            aria-label="Refresh interval"
            size="xs"
            w={86}
            value={refresh}
            allowDeselect={false}
            data={[...new Set([...REFRESHES, refresh])].map((value) => ({
              value,
              label: value === '' ? 'off' : value,
            }))}
            onChange={(value) => change({ refresh: value ?? '' })}
          />
        </Group>
      </Group>
      <Group gap="sm">
        {variables
          .filter((variable) => variable.hide !== 2)
          .map((variable) => (
            <VariablePicker
              key={variable.name}
              variable={variable}
              chosen={chosen[variable.name] ?? []}
              options={options[variable.name] ?? []}
              onChange={(values) => change({ [`var-${variable.name}`]: values })}
            />
          ))}
      </Group>
      <Grid panels={board.panels ?? []} context={context} />
    </Stack>
  )
}

/** An interval that cannot be read does not refresh. */
function refreshMs(refresh: string): number {
  try {
    return refresh === '' ? 0 : parseDuration(refresh)
  } catch {
    return 0
  }
}

/** The moment the dashboard shows, moved by its refresh interval while the tab is seen. */
function useNow(refresh: string): [number, () => void] {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const every = refreshMs(refresh)
    if (every < 1000) return
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now())
    }, every)
    return () => clearInterval(timer)
  }, [refresh])
  return [now, () => setNow(Date.now())]
}

function useVariables(
  variables: readonly VariableModel[],
  params: URLSearchParams,
  base: string,
  from: number,
  to: number,
): { chosen: Chosen; options: Record<string, readonly string[]> } {
  const minute = (ms: number): number => Math.floor(ms / 60_000) * 60_000
  const answers = useQueries({
    queries: variables.map((variable) => ({
      queryKey: ['variable', base, variable.name, variable.query, minute(from), minute(to)],
      queryFn: () => variableOptions(variable, base, from, to),
      placeholderData: (before: string[] | undefined) => before,
    })),
  })
  const chosen: Record<string, readonly string[]> = {}
  const options: Record<string, readonly string[]> = {}
  variables.forEach((variable, i) => {
    options[variable.name] = answers[i]?.data ?? []
    const initial = initialChoice(variable, params.getAll(`var-${variable.name}`))
    chosen[variable.name] = initial.length > 0 ? initial : options[variable.name]!.slice(0, 1)
  })
  return { chosen, options }
}

function VariablePicker({
  variable,
  chosen,
  options,
  onChange,
}: {
  variable: VariableModel
  chosen: readonly string[]
  options: readonly string[]
  onChange: (values: readonly string[]) => void
}): ReactNode {
  const data = [
    ...(variable.includeAll ? [{ value: ALL, label: 'All' }] : []),
    ...[...new Set([...options, ...chosen.filter((value) => value !== ALL)])].map((value) => ({
      value,
      label: value,
    })),
  ]
  const label = variable.label ?? variable.name
  if (!variable.multi)
    return (
      <Group gap={6}>
        <Text size="sm">{label}</Text>
        <Select
          size="xs"
          aria-label={label}
          data={data}
          value={chosen[0] ?? null}
          onChange={(value) => value !== null && onChange([value])}
          searchable
        />
      </Group>
    )
  return (
    <Group gap={6}>
      <Text size="sm">{label}</Text>
      <MultiSelect
        size="xs"
        miw={180}
        aria-label={label}
        data={data}
        value={[...chosen]}
        searchable
        clearable
        onChange={(values) => {
          // "All" and single values exclude each other: the one chosen last stays.
          const all = values.includes(ALL) && (!chosen.includes(ALL) || values.length === 1)
          const single = values.filter((value) => value !== ALL)
          onChange(all || single.length === 0 ? [ALL] : single)
        }}
      />
    </Group>
  )
}

function RangeMenu({ label, onPick }: { label: string; onPick: (from: string) => void }): ReactNode {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconClock size={15} />}
          rightSection={<IconChevronDown size={14} />}
        >
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {QUICK_RANGES.map((range) => (
          <Menu.Item key={range.from} onClick={() => onPick(range.from)}>
            {range.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Pixels of a grid unit and of the gap between panels. */
const UNIT = 36
const GAP = 8

function Grid({ panels, context }: { panels: readonly PanelModel[]; context: BoardContext }): ReactNode {
  const [toggled, setToggled] = useState<ReadonlySet<PanelModel>>(new Set())
  const placed = useMemo(() => placePanels(panels, toggled), [panels, toggled])
  const toggle = (row: PanelModel): void => {
    const next = new Set(toggled)
    if (!next.delete(row)) next.add(row)
    setToggled(next)
  }
  return (
    <div className={classes['grid']} style={{ gridAutoRows: `${UNIT}px`, gap: GAP }}>
      {placed.map(({ panel, x, y, w, h, open }, i) => (
        <div
          key={panel.id ?? `${i}`}
          className={classes['cell']}
          style={
            {
              gridColumn: `${x + 1} / span ${w}`,
              gridRow: `${y + 1} / span ${h}`,
              '--panel-height': `${h * (UNIT + GAP) - GAP}px`,
            } as CSSProperties
          }
        >
          {open === undefined ? (
            <PanelView panel={panel} context={context} />
          ) : (
            <button
              type="button"
              className={classes['row']}
              aria-expanded={open}
              onClick={() => toggle(panel)}
            >
              {open ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
              {panel.title}
            </button>
          )}
        </div>
      ))}
    </div>
  )
}
