// Grafana's `table` panel: labels as columns, the value last.
import { Table } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatUnit } from '../../api/format.ts'
import type { PanelData } from '../data.ts'
import type { PanelModel } from '../model.ts'
import classes from './PanelView.module.css'

const ROWS_MAX = 500

export function TablePanel({ panel, data }: { panel: PanelModel; data: PanelData }): ReactNode {
  const defaults = panel.fieldConfig?.defaults
  const rows = [
    ...data.instants.map((one) => ({ metric: one.metric, value: one.value?.[1] })),
    ...data.series.map((one) => ({ metric: one.metric, value: one.values?.at(-1)?.[1] })),
  ]
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.metric)))]
    .filter((name) => name !== '__name__')
    .sort()
  return (
    <Table stickyHeader highlightOnHover fz="sm" horizontalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          {names.map((name) => (
            <Table.Th key={name}>{name}</Table.Th>
          ))}
          <Table.Th ta="right">Value</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.slice(0, ROWS_MAX).map((row, i) => (
          <Table.Tr key={i}>
            {names.map((name) => (
              <Table.Td key={name} className={classes['cell']!} title={row.metric[name]}>
                {row.metric[name]}
              </Table.Td>
            ))}
            <Table.Td ta="right">
              {row.value === undefined
                ? ''
                : formatUnit(Number(row.value), defaults?.unit ?? 'short', defaults?.decimals)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
